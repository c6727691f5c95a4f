"""What must hold after anything that happened: nothing lost, nothing doubled, nothing reordered, books balanced."""

import importlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
from aiokafka import ConsumerRecord

from contracts.envelope import CHAIN_START, place_of
from contracts.topics import NOTICES_PARTITION, PARTITIONS_DEFAULT, ServiceName, events_topic, notices_topic
from services.cli.stack import DATABASE_PREFIX, get, service_status
from services.demo.book import CHANNELS, Book
from services.kernel import postgres
from services.kernel.codec import EventCodec
from services.kernel.log import event_log
from services.kernel.proof.verify import verify_log
from services.kernel.service import ServiceDefinition
from services.kernel.wire import Tail, public_record
from tests.support.running import read_topic
from tests.torture.cluster import Cluster
from tests.torture.heard import difference, told_by
from tests.torture.journal import Entry
from tests.torture.load import order_ends

_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Audit:
    """One check with what it counted."""

    name: str
    result: str


async def audit(cluster: Cluster, entries: Sequence[Entry], books: Sequence[Book]) -> list[Audit]:
    """All checks. Raises AssertionError with the first difference."""
    done = [await _outcomes(cluster, entries)]
    for service in ServiceName:
        definition = importlib.import_module(f"services.{service}.app").application.definition
        connection = await postgres.connect(postgres.service_dsn(cluster.servers.postgres, service, DATABASE_PREFIX))
        try:
            done += await _log_and_topic(cluster, connection, definition)
            done.append(await _inbox(cluster, connection, definition))
        finally:
            await connection.close()
    return [*done, await _ended(cluster), *_money(cluster, books)]


async def _outcomes(cluster: Cluster, entries: Sequence[Entry]) -> Audit:
    notices: dict[str, list[ConsumerRecord]] = {}
    for channel in CHANNELS:
        topic = notices_topic(channel)
        notices[channel] = (await read_topic(cluster.servers.kafka, topic, NOTICES_PARTITION + 1))[NOTICES_PARTITION]
    told, refused = told_by(notices)
    found = difference(entries, told, refused)
    assert found is None, f"A1 outcomes: {found}"
    ended = sum(not entry.copy for entry in entries)
    return Audit("A1 each message ended once", f"{ended:,} messages, {sum(map(len, notices.values())):,} notices")


async def _log_and_topic(
    cluster: Cluster, connection: asyncpg.Connection, definition: ServiceDefinition
) -> list[Audit]:
    name = definition.name
    verified = await verify_log(connection)
    assert verified.findings == (), f"A2 {name}: {verified.findings[0]}"
    topic = events_topic(name)
    records = await read_topic(cluster.servers.kafka, topic, PARTITIONS_DEFAULT)
    codec = EventCodec(definition.events)
    for partition, found in records.items():
        await _same(connection, definition, codec, partition, found)
    count = sum(map(len, records.values()))
    return [
        Audit(f"A2 {name}: chains", f"{verified.events:,} events"),
        Audit(f"A3 {name}: topic = log", f"{count:,} records"),
    ]


async def _same(
    connection: asyncpg.Connection,
    definition: ServiceDefinition,
    codec: EventCodec,
    partition: int,
    found: Sequence[ConsumerRecord],
) -> None:
    """The partition of the topic is `to_wire` of the log, record by record and byte by byte."""
    topic, published = events_topic(definition.name), iter(found)
    tail, position = Tail(0, CHAIN_START), 0
    while page := await event_log.read(connection, partition, position, _PAGE):
        position = page[-1].link.position
        for recorded in map(codec.recorded, page):
            outgoing = definition.to_wire(recorded)
            if outgoing is None:
                continue
            record, tail = public_record(definition.name, topic, recorded, outgoing, tail)
            other = next(published, None)
            assert other is not None, f"A3 {topic}/{partition}: ends before position {recorded.position}"
            at = place_of(dict(other.headers)).position
            assert at == recorded.position, f"A3 {topic}/{partition}: {at} where {recorded.position} must be"
            same = (other.key, other.value, tuple(other.headers)) == (record.key, record.value, tuple(record.headers))
            assert same, f"A3 {topic}/{partition}: position {at} is not what the log says"
    surplus = next(published, None)
    assert surplus is None, f"A3 {topic}/{partition}: record at offset {surplus.offset} is not in the log"


async def _inbox(cluster: Cluster, connection: asyncpg.Connection, definition: ServiceDefinition) -> Audit:
    rows = await connection.fetch("select source, partition, position, next_offset from log.inbox")
    taken = {(row["source"], row["partition"]): row for row in rows}
    for source in definition.sources:
        for partition, records in (await read_topic(cluster.servers.kafka, source, PARTITIONS_DEFAULT)).items():
            end = place_of(dict(records[-1].headers)).position if records else 0
            at = taken[source, partition]["position"] if (source, partition) in taken else 0
            assert at == end, f"A4 {definition.name}: {source}/{partition} taken up to {at}, it ends at {end}"
    if definition.react_to_channel is not None or definition.name == ServiceName.QUOTE:
        for place, end in (await order_ends(cluster.servers.kafka)).items():
            at = taken[place]["next_offset"] if place in taken else 0
            assert at == end, f"A4 {definition.name}: {place} taken up to {at}, it ends at {end}"
    return Audit(f"A4 {definition.name}: inbox", f"{len(taken)} partitions to their ends")


async def _ended(cluster: Cluster) -> Audit:
    """What has ended without a policy has none, and owes nothing."""
    ended = await _rows(
        cluster,
        ServiceName.QUOTE,
        "select channel, order_no, status from read.application where status in ('withdrawn', 'expired')",
    )
    issued = await _rows(cluster, ServiceName.POLICY, "select channel, order_no from read.policy_term")
    owed = await _rows(cluster, ServiceName.BILLING, "select channel, order_no from read.invoice where status = 'open'")
    numbers = {(row["channel"], row["order_no"]) for row in ended}
    for name, rows in (("a policy", issued), ("an open invoice", owed)):
        wrong = sorted(numbers & {(row["channel"], row["order_no"]) for row in rows})
        assert not wrong, f"A8 ended orders: {wrong[0]} has {name}"
    return Audit("A8 ended orders", f"{len(numbers):,} without policy and open invoice")


async def _rows(cluster: Cluster, service: str, query: str) -> list[asyncpg.Record]:
    connection = await postgres.connect(postgres.service_dsn(cluster.servers.postgres, service, DATABASE_PREFIX))
    try:
        rows: list[asyncpg.Record] = await connection.fetch(query)
        return rows
    finally:
        await connection.close()


def _money(cluster: Cluster, books: Iterable[Book]) -> list[Audit]:
    stack = cluster.stack
    written: Counter[str] = Counter()
    terms = 0
    claims: Counter[str] = Counter()
    for book in books:
        written.update(book.expected.written_premium_minor)
        claims.update(book.expected.claims_paid_minor)
        terms += book.expected.policies_issued + book.expected.renewals
    found: Counter[str] = Counter()
    found_terms = 0
    for row in get(stack, ServiceName.POLICY, "/written-premium"):
        if row["coverage"] == "*":
            found[row["currency"]] += row["premium_minor"]
            found_terms += row["terms"]
    assert (found_terms, found) == (terms, written), f"A6 premium: {found_terms} terms {found}, {terms} {written}"
    for balance in get(stack, ServiceName.BILLING, "/trial-balance"):
        assert balance["debit_minor"] == balance["credit_minor"], f"A6 trial balance: {balance}"
    paid: Counter[str] = Counter()
    for row in get(stack, ServiceName.CLAIMS, "/claim-totals"):
        paid[row["currency"]] += row["payable_minor"]
    assert +paid == +claims, f"A6 claims: paid {dict(paid)}, expected {dict(claims)}"
    return [
        Audit("A6 written premium", f"{terms:,} terms, {_shown(written)}"),
        Audit("A6 claims paid", _shown(claims)),
        Audit("A6 trial balance", "debits = credits"),
    ]


def _shown(amounts: Mapping[str, int]) -> str:
    return ", ".join(f"{minor / 100:,.2f} {currency}" for currency, minor in sorted(amounts.items()))


def log_heads(cluster: Cluster) -> dict[str, list[int]]:
    """The head of each partition of each log."""
    return {service.value: service_status(cluster.stack, service)["heads"] for service in ServiceName}
