"""An order, its renewal and its payment on three partitions, handled in every order there is: the same comes of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations

import pytest

from contracts.topics import ServiceName, orders_topic
from contracts.vocabulary.identifiers import contract_id_of, numbering_owner
from infra.stack_file import Stack
from services.cli.demo import prepare_market, settle
from services.cli.stack import get
from services.demo.book import CHANNELS, generate_book
from services.kernel import kafka
from tests.support.system import audit

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.slow]

CHANNEL = CHANNELS[0]
KINDS = ("order", "renewal", "payment")
ORDERS = tuple(permutations(KINDS))
PARTITION = {"order": 0, "renewal": 3, "payment": 6}


@dataclass(frozen=True, slots=True)
class Contract:
    """The three messages of one contract, by kind."""

    contract_no: str
    book: str | None
    values: dict[str, bytes]

    def like_it(self, mark: str) -> "Contract":
        """The same under other numbers."""
        values = {kind: value.replace(self.contract_no.encode(), mark.encode()) for kind, value in self.values.items()}
        payment = {**json.loads(values["payment"]), "payment_no": f"{mark}-P"}
        return Contract(mark, self.book, {**values, "payment": json.dumps(payment).encode()})

    @property
    def contract_id(self) -> str:
        return contract_id_of(numbering_owner(CHANNEL, self.book), self.contract_no)


def _contract() -> Contract:
    """A contract of a generated book with an order, one renewal and a payment that settles the order's invoice."""
    book = generate_book(orders=600, seed=29)
    own = [message for message in (*book.orders, *book.payments) if message.channel == CHANNEL]
    for key in dict.fromkeys(message.key for message in own):
        found = [message for message in own if message.key == key]
        if [message.expected for message in found] == ["issued", "renewed", "matched"]:
            values = {kind: message.value for kind, message in zip(KINDS, found, strict=True)}
            return Contract(key, json.loads(found[0].value)["book"], values)
    raise AssertionError("the book has no such contract")


async def _publish(stack: Stack, messages: Iterable[tuple[Contract, str, int]]) -> None:
    producer = kafka.channel_producer(stack.kafka)
    await producer.start()
    try:
        for contract, kind, partition in messages:
            key, value = contract.contract_no.encode(), contract.values[kind]
            await producer.send_and_wait(orders_topic(CHANNEL), value, key=key, partition=partition)
    finally:
        await producer.stop()
    await settle(stack)


def _outcome(stack: Stack, contract: Contract) -> dict[str, object]:
    """What the contract has come to, without numbers and times."""
    account = get(stack, ServiceName.BILLING, f"/accounts/{contract.contract_id}")
    terms = get(stack, ServiceName.POLICY, f"/contracts/{contract.contract_id}")
    invoices = [
        (one["order_no"].rpartition("/")[2], one["due"], one["amount_minor"], one["status"])
        for one in account["invoices"]
    ]
    return {
        "balances": account["balances"],
        "invoices": sorted(invoices),
        "terms": sorted((one["effective"], one["expiry"], one["premium_minor"]) for one in terms),
        "orders": [_order_status(stack, contract, number) for number in (1, 2)],
    }


def _order_status(stack: Stack, contract: Contract, number: int) -> str:
    found = get(stack, ServiceName.QUOTE, f"/channels/{CHANNEL}/orders/{contract.contract_no}/{number}")
    return str(found["status"])


async def test_the_outcome_does_not_depend_on_which_partition_is_read_first(stack: Stack) -> None:
    await prepare_market(stack, list(CHANNELS))
    await settle(stack)
    contracts = {order: _contract().like_it(f"W-{place}") for place, order in enumerate(ORDERS)}
    for place in range(len(KINDS)):
        await _publish(stack, ((contract, each[place], PARTITION[each[place]]) for each, contract in contracts.items()))
    # And everything once more, each message on the partition of another.
    await _publish(stack, ((c, kind, (PARTITION[kind] + 1) % 8) for c in contracts.values() for kind in KINDS))
    outcomes = {order: _outcome(stack, contract) for order, contract in contracts.items()}
    expected = outcomes[KINDS]
    assert {order: outcome for order, outcome in outcomes.items() if outcome != expected} == {}
    assert expected["orders"] == ["issued", "issued"]
    settled = [invoice for invoice in expected["invoices"] if "settled" in invoice]  # type: ignore[attr-defined]
    assert [invoice[0] for invoice in settled] == ["1"]
    await audit(stack)
