"""Rebuild of policy's read model, against the same rows selected and upserted without any domain code."""

import asyncio
import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from typing import Any

import asyncpg

from contracts.topics import PARTITIONS_DEFAULT, lane_of
from contracts.vocabulary.identifiers import contract_id_of
from contracts.vocabulary.products import CoverageTerms
from services.kernel import postgres
from services.kernel.codec import EventCodec
from services.kernel.log import event_log
from services.kernel.log.chain import Link
from services.kernel.projecting import projection_sql
from services.kernel.projecting.rebuild import rebuild
from services.kernel.projecting.replay import Replay
from services.kernel.projecting.replay_worker import NICENESS
from services.policy.app import DEFINITION
from services.policy.domain.events import PolicyIssued, PolicyRenewed
from services.policy.inbound import stream_of
from services.policy.projections.policy_term import policy_term
from tests.support.builders import cover_terms
from tests.support.replays import declare_filled

EVENTS_DEFAULT = 200_000
_SERVICE = "policy"
_PREFIX = "bench"
_APPENDED_AT_A_TIME = 5_000
_UPSERTED_AT_A_TIME = 5_000
_COVERAGES = ("Windscreen", "DamAll", "Fire", "Acc1", "Legal", "TPLM", "TPLV")
"""Seven, as the policies of the real motor book have on average."""
_SELECT = """
select position, stream, version, type, schema, data, meta, recorded_at, digest
  from log.events where partition = $1 and position > $2 order by position limit $3
"""
_MODEL = replace(policy_term, name="policy_term_baseline")


async def measure_rebuild(
    admin_dsn: str, events: int = EVENTS_DEFAULT, processes: int | None = None
) -> tuple[float, float]:
    """Events a second of a rebuild of `policy_term`, and of the baseline, with so many processes each.

    The rebuild is measured as an operator sees it, from the call to the swap, the start of its processes included.
    The baseline selects the same rows of the log and upserts rows made beforehand into a table of the same shape,
    indexes included; its clock runs while its processes work.
    """
    hands = processes or os.cpu_count() or 1
    await postgres.drop(admin_dsn, _SERVICE, _PREFIX)
    dsn = await postgres.provision(admin_dsn, _SERVICE, _PREFIX, PARTITIONS_DEFAULT)
    try:
        await write_policy_log(dsn, events)
        codec = EventCodec(DEFINITION.events)
        started = time.monotonic()
        done = await rebuild(Replay(dsn=dsn, codec=codec, projection=policy_term, workers=hands))
        rebuilt = done.events / (time.monotonic() - started)
        return rebuilt, events / await _baseline_seconds(dsn, hands)
    finally:
        await postgres.drop(admin_dsn, _SERVICE, _PREFIX)


async def write_policy_log(dsn: str, events: int) -> None:
    """Write a log of issued and renewed policies into an empty database, and declare its read model, still empty."""
    links: list[list[Link]] = [[] for _ in range(PARTITIONS_DEFAULT)]
    for number in range(events):
        contract = contract_id_of("channel:shop", f"C-{number // 2}")
        own = links[lane_of(contract, PARTITIONS_DEFAULT)]
        own.append(_policy_event(number, contract, lane_of(contract, PARTITIONS_DEFAULT), len(own) + 1))
    connection = await postgres.connect_for_replay(dsn)
    try:
        for partition, own in enumerate(links):
            for start in range(0, len(own), _APPENDED_AT_A_TIME):
                async with connection.transaction():
                    head = (await event_log.lock_heads(connection, [partition]))[partition]
                    batch = event_log.chained(head, own[start : start + _APPENDED_AT_A_TIME])
                    await event_log.append(connection, {partition: batch})
        await _declare(connection)
    finally:
        await connection.close()


def _policy_event(number: int, contract: str, partition: int, position: int) -> Link:
    """Every contract is issued and renewed once."""
    term = number % 2
    coverages = tuple(CoverageTerms(code=code, premium_minor=1_500 + number % 97) for code in _COVERAGES)
    terms = cover_terms(
        contract_id=contract,
        contract_no=f"C-{number // 2}",
        order_no=f"O-{number}",
        coverages=coverages,
        premium_minor=sum(coverage.premium_minor for coverage in coverages),
    )
    event_type = PolicyRenewed if term else PolicyIssued
    event = event_type(policy_no=f"{contract}-{term + 1}", term_no=term + 1, terms=terms)
    stored, at = event.__pydantic_serializer__.to_json(event), datetime(2026, 1, 5, tzinfo=UTC)
    cause = b'{"source":"quote.events.v1/3/12345"}'
    return Link(partition, position, stream_of(contract), term + 1, event.event_type, 1, stored, cause, at)


async def _declare(connection: asyncpg.Connection) -> None:
    """The read model as the projector leaves it, but empty; and the table of the baseline."""
    await declare_filled(connection, policy_term)
    for statement in (projection_sql.create_table(_MODEL), *projection_sql.create_indexes(_MODEL)):
        await connection.execute(statement)
    await connection.execute("analyze log.events")


async def _baseline_seconds(dsn: str, processes: int) -> float:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(processes), context.Queue()
    shares = [list(range(PARTITIONS_DEFAULT))[place::processes] for place in range(processes)]
    started = [context.Process(target=_upsert_share, args=(dsn, share, barrier, results)) for share in shares]
    for process in started:
        process.start()
    times = [await asyncio.to_thread(results.get) for _ in started]
    for process in started:
        await asyncio.to_thread(process.join)
    return float(max(end for _, end in times) - min(begin for begin, _ in times))


def _upsert_share(dsn: str, partitions: Sequence[int], barrier: Barrier, results: Any) -> None:
    os.nice(NICENESS)
    results.put(asyncio.run(_upsert(dsn, partitions, barrier)))


async def _upsert(dsn: str, partitions: Sequence[int], barrier: Barrier) -> tuple[float, float]:
    connection = await postgres.connect_for_replay(dsn)
    names = ("partition", *_MODEL.columns)
    made = {
        partition: [
            tuple(row)
            for row in await connection.fetch(
                f"select {', '.join(names)} from {projection_sql.table_name(policy_term)} where partition = $1",
                partition,
            )
        ]
        for partition in partitions
    }
    statement = _upsert_statement(names)
    await asyncio.to_thread(barrier.wait)
    begin = time.time()
    for partition, rows in made.items():
        for start in range(0, len(rows), _UPSERTED_AT_A_TIME):
            await connection.fetch(_SELECT, partition, start, _UPSERTED_AT_A_TIME)
            columns = zip(*rows[start : start + _UPSERTED_AT_A_TIME], strict=True)
            await connection.execute(statement, *map(list, columns))
    end = time.time()
    await connection.close()
    return begin, end


def _upsert_statement(names: Sequence[str]) -> str:
    types = {"partition": "smallint", **_MODEL.columns}
    sent = {name: "text" if types[name] == "jsonb" else types[name] for name in names}
    arrays = ", ".join(f"${place}::{sent[name]}[]" for place, name in enumerate(names, 1))
    key = projection_sql.key_columns(_MODEL)
    selected = ", ".join(f"n.{name}::{types[name]}" for name in names)
    return (
        f"insert into {projection_sql.table_name(_MODEL)} ({', '.join(names)}) "
        f"select {selected} from unnest({arrays}) as n({', '.join(names)}) "
        f"on conflict ({', '.join(key)}) do update "
        f"set {', '.join(f'{name} = excluded.{name}' for name in names if name not in key)}"
    )
