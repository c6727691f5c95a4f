"""Orders that are decided together count each other: those of one batch, and those the read models do not have yet."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.kernel.messages import Recorded
from services.quote.customers import Customers
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationAccepted, ApplicationDeclined, ApplicationNotIssued
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.state import NothingYet
from services.quote.domain.underwriting.events import ApplicationAssessed, ApplicationReferred
from services.quote.underwriting_queries import BlacklistMark, ChannelSale, CustomerContract
from tests.unit.quote.orders import delivery, submit
from tests.unit.quote.underwritten import CUSTOMER, DOUBLE, TOO_MUCH, order, product, rule

NOW = datetime(2025, 12, 20, 12, tzinfo=UTC)
TWO_A_DAY = rule("two-a-day", {"fact": "channel.orders_today", "at_least": 3}, "decline")
PREMIUM = rule("premium", {"fact": "channel.premium_minor", "at_least": 100_000}, "refer")
INSURED = rule("insured", {"fact": "channel.sum_insured_today_minor", "at_least": 30_000_001}, "refer")


class Read:
    """Read models that answer with these rows, as far as this position of partition 0 was read."""

    def __init__(self, *sales: ChannelSale, passed: int = 0) -> None:
        self.sales, self.passed = sales, passed

    async def one(self, model: type, sql: str, *arguments: Any) -> Any:
        return BlacklistMark(entries=0, changes=0)

    async def many(self, model: type, sql: str, *arguments: Any) -> list[Any]:
        return []

    async def with_progress(self, projection: str, model: type, sql: str, *arguments: Any) -> Any:
        rows = [] if model is CustomerContract else [row for row in self.sales if row.channel in arguments[0]]
        return rows, {0: self.passed}


class Quote:
    """The kernel's way of deciding, with one witness: `together` is one transaction."""

    def __init__(self, version: ProductVersion, read: Read) -> None:
        self.version, self.read, self.customers, self.position = version, read, Customers(), 0

    async def look_up(self, *messages: dict[str, Any], channel: str = "shop") -> None:
        found = [replace(delivery(message), topic=f"orders.{channel}.v1") for message in messages]
        await self.customers.refresh(self.read, found, ["health-basic"])  # type: ignore[arg-type]

    async def together(self, *messages: dict[str, Any], channel: str = "shop") -> list[list[Any]]:
        """The events of each order; they are in the log afterwards."""
        await self.look_up(*messages, channel=channel)
        decided = self.decide(*messages, channel=channel)
        self.keep([event for events in decided for event in events])
        return decided

    def decide(self, *messages: dict[str, Any], channel: str = "shop") -> list[list[Any]]:
        """The events of each order, in a transaction that is not committed."""
        self.customers.begin()
        decided = []
        for message in messages:
            command = self.customers.complete(submit(message, product=self.version, channel=channel))
            events = list(QUOTE_DECIDER.decide(command, NothingYet()))
            self.customers.decided(events)
            decided.append(events)
        return decided

    def keep(self, events: list[Any]) -> None:
        recorded = []
        for event in events:
            self.position += 1
            recorded.append(Recorded(0, self.position, "s", 1, event, NOW, {}, b""))
        self.customers.committed(recorded)


def ends(decided: list[list[Any]]) -> list[type]:
    return [type(events[-1]) for events in decided]


def figures(events: list[Any]) -> Any:
    return next(event.figures for event in events if isinstance(event, ApplicationAssessed))


def of(number: str, **changes: Any) -> dict[str, Any]:
    """An order with a number of its own, for another contract of the same customer."""
    return order(order_no=number, policyholder_id=CUSTOMER, **changes)


async def test_two_orders_of_a_customer_in_one_batch_see_each_other() -> None:
    quote = Quote(product([DOUBLE]), Read())
    decided = await quote.together(of("A-1"), of("A-2"))
    assert ends(decided) == [ApplicationAccepted, ApplicationReferred]
    assert figures(decided[1]) == {"customer.same_product": 1}


async def test_the_next_batch_sees_what_the_read_model_does_not_have_yet() -> None:
    quote = Quote(product([TOO_MUCH]), Read())
    first = await quote.together(of("A-1", insured=50_000_000, premium=130_910))
    assert ends(first) == [ApplicationAccepted]
    decided = await quote.together(of("A-2"))
    assert figures(decided[0]) == {"customer.sum_insured_minor": 60_000_000}


async def test_what_the_read_model_has_passed_is_left_to_it() -> None:
    quote = Quote(product([DOUBLE]), Read())
    await quote.together(of("A-1"))
    # The read model is past the acceptance and shows no contract: it could not be put in force, say.
    quote.read.passed = quote.position
    assert ends(await quote.together(of("A-2"))) == [ApplicationAccepted]


async def test_what_was_rolled_back_does_not_count() -> None:
    quote = Quote(product([DOUBLE]), Read())
    await quote.look_up(of("A-1"), of("A-2"))
    for _ in range(2):
        assert ends(quote.decide(of("A-1"), of("A-2"))) == [ApplicationAccepted, ApplicationReferred]


async def test_a_declined_order_does_not_count() -> None:
    quote = Quote(product([DOUBLE]), Read())
    decided = await quote.together(of("A-1", premium=1), of("A-2"))
    assert ends(decided) == [ApplicationDeclined, ApplicationAccepted]


async def test_a_channel_sells_as_many_a_day_as_the_document_says() -> None:
    quote = Quote(product([TWO_A_DAY]), Read())
    decided = await quote.together(*(order(order_no=f"A-{n}") for n in range(4)))
    assert ends(decided) == [ApplicationAccepted, ApplicationAccepted, ApplicationDeclined, ApplicationDeclined]
    assert figures(decided[2]) == {"channel.orders_today": 3}
    assert "because of the risk (two-a-day)" in decided[2][-1].faults[0].message
    next_day = order(order_no="B-1", placed_at="2025-12-21T10:00:00Z")
    assert ends(await quote.together(next_day)) == [ApplicationAccepted]
    assert ends(await quote.together(order(order_no="C-1"), channel="hill")) == [ApplicationAccepted]


@pytest.mark.parametrize("limit", [PREMIUM, INSURED])
async def test_premium_and_sum_insured_are_limited_too(limit: dict[str, Any]) -> None:
    quote = Quote(product([limit]), Read())
    decided = await quote.together(*(order(order_no=f"A-{n}") for n in range(4)))
    # Four of 261.82 are 1,047.28; four of 100,000.00 are more than 300,000.00.
    assert ends(decided) == [ApplicationAccepted, ApplicationAccepted, ApplicationAccepted, ApplicationReferred]


async def test_sales_are_read_once_and_what_came_since_is_added() -> None:
    day = date(2025, 12, 20)
    sold = ChannelSale(
        channel="shop",
        product_code="health-basic",
        day=day,
        orders=1,
        premium_minor=26_182,
        sum_insured_minor=10_000_000,
    )
    quote = Quote(product([TWO_A_DAY]), Read())
    await quote.together(order(order_no="A-1"))
    quote.read = Read(sold, passed=quote.position)
    decided = await quote.together(order(order_no="A-2"))
    assert figures(decided[0]) == {"channel.orders_today": 2}


async def test_an_order_that_could_not_be_put_in_force_frees_its_place() -> None:
    quote = Quote(product([TWO_A_DAY]), Read())
    decided = await quote.together(order(order_no="A-1"), order(order_no="A-2"))
    accepted = decided[0][-1]
    failed = ApplicationNotIssued(
        channel="shop",
        contract_id="K",
        order_no="A-1",
        faults=(),
        accepted=accepted.terms,
        placed_on=accepted.placed_on,
    )
    quote.keep([failed])
    assert ends(await quote.together(order(order_no="A-3"))) == [ApplicationAccepted]


async def test_a_channel_that_was_not_looked_up_is_not_taken_for_one_without_sales() -> None:
    (events,) = Quote(product([TWO_A_DAY]), Read()).decide(order())
    assert [one.code for one in events[-1].reasons] == ["channel-not-looked-up"]
