"""What is known when an order is decided: the blacklist, the customer's other contracts, what the channel has sold.

Looked up before each batch of orders. What this process decides itself is added at once, so that orders of one batch,
and of batches that follow faster than read models do, count each other.
"""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contracts.topics import channel_of
from contracts.vocabulary.identifiers import is_sandbox
from services.kernel.messages import Delivery, DomainEvent, Recorded
from services.kernel.read_models import ReadModels
from services.quote import underwriting_queries
from services.quote.domain.commands import SubmitApplication
from services.quote.domain.events import ApplicationAccepted, ApplicationNotIssued
from services.quote.domain.order import Order
from services.quote.domain.underwriting.assessment import (
    UNKNOWN_CUSTOMER,
    CustomerStanding,
    OtherContract,
)
from services.quote.sales import SalesCount, contract_of

DOCUMENT, NAME = "document", "name"
CUSTOMERS_HELD_MAX = 50_000
"""Those who were looked up longest ago are forgotten first; a batch names fewer."""

_CUSTOMER = re.compile(rb'"policyholder_id"\s*:\s*"([0-9a-f]{64})"')

_Contracts = dict[str, OtherContract]
"""By channel and number of the order."""


def name_digest(name: str) -> str:
    """The digest of a name, without regard to case and blanks."""
    return hashlib.sha256("".join(name.split()).casefold().encode()).hexdigest()


class Customers:
    """The witness of quote. Asking it needs no I/O; an order without a customer and without limits costs nothing."""

    def __init__(
        self,
        listed: Iterable[tuple[str, str]] = (),
        contracts: Mapping[str, Sequence[OtherContract]] | None = None,
    ) -> None:
        self._seen: underwriting_queries.BlacklistMark | None = None
        self._listed = frozenset(listed)
        self._contracts: OrderedDict[str, _Contracts] = OrderedDict(
            (customer, {f"{one.channel}/{one.contract_id}": one for one in own})
            for customer, own in (contracts or {}).items()
        )
        self._decided: dict[str, _Contracts] = {}
        self._committed: dict[tuple[int, int], tuple[str, str, OtherContract | None]] = {}
        self._sales = SalesCount()
        self._turn = asyncio.Lock()

    def begin(self) -> None:
        """Forget what was decided in a transaction that did not end in the log."""
        self._decided = {}
        self._sales.begin()

    def complete(self, command: Any) -> Any:
        """An order's command with what is known by now."""
        if not isinstance(command, SubmitApplication):
            return command
        order = command.order
        standing, sales = self.standing(command.channel, order, command.contract_id), None
        if command.product is not None and command.product.underwriting.asks_about_channel:
            sales = self._sales.of(command.channel, order.product, order.placed_at.date())
        if standing is command.customer and sales is command.sales:
            return command
        return replace(command, customer=standing, sales=sales)

    def decided(self, events: Sequence[DomainEvent]) -> None:
        """Count what was accepted in the transaction under way."""
        for event in events:
            if isinstance(event, ApplicationAccepted):
                self._sales.decided(event)
                if event.customer is not None:
                    key, contract = contract_of(event)
                    self._decided.setdefault(event.customer, {})[key] = contract

    def committed(self, recorded: Sequence[Recorded[Any]]) -> None:
        """Keep what is in the log until the read models have it as well."""
        self.begin()
        for one in recorded:
            event = one.event
            if isinstance(event, ApplicationAccepted | ApplicationNotIssued):
                self._sales.committed(one)
            if isinstance(event, ApplicationAccepted) and event.customer is not None:
                key, contract = contract_of(event)
                self._committed[one.partition, one.position] = (event.customer, key, contract)
                if event.customer in self._contracts:
                    self._contracts[event.customer][key] = contract

    def standing(self, channel: str, order: Order, contract_id: str) -> CustomerStanding:
        """What is known of the policyholder, besides the contract that is ordered itself.

        Business of a sandbox counts in that sandbox alone, and real business counts in none.
        """
        name, customer = order.policyholder_name, order.policyholder_id
        listed = bool(self._listed) and (
            (DOCUMENT, customer or "") in self._listed
            or (name is not None and (NAME, name_digest(name)) in self._listed)
        )
        found = None if customer is None else self._contracts.get(customer)
        if customer is None or found is None:
            return CustomerStanding(blacklisted=True) if listed else UNKNOWN_CUSTOMER
        counted = channel if is_sandbox(channel) else None
        others = tuple(
            one
            for one in {**found, **self._decided.get(customer, {})}.values()
            if one.contract_id != contract_id and (one.channel if is_sandbox(one.channel) else None) == counted
        )
        return CustomerStanding(blacklisted=listed, contracts=others)

    async def refresh(self, read: ReadModels, deliveries: Sequence[Delivery], limited: Collection[str] = ()) -> None:
        """Look up what these orders need; `limited` are the products whose rules look at what channels have sold."""
        mark = await underwriting_queries.blacklist_mark(read)
        if mark != self._seen:
            self._listed = frozenset((one.kind, one.subject) for one in await underwriting_queries.blacklist(read))
            self._seen = mark
        # Batches of several topics are prepared at once; an older look at the read models must not come later.
        async with self._turn:
            await self._look_up_customers(read, deliveries)
            if limited:
                channels = {channel for one in deliveries if (channel := _channel(one)) is not None}
                await self._sales.refresh(read, channels, limited)

    async def _look_up_customers(self, read: ReadModels, deliveries: Sequence[Delivery]) -> None:
        named = {found[1].decode() for delivery in deliveries if (found := _CUSTOMER.search(delivery.value or b""))}
        if not named:
            return
        rows, passed = await underwriting_queries.contracts_of_customers(read, sorted(named))
        self._committed = {place: one for place, one in self._committed.items() if place[1] > passed.get(place[0], 0)}
        looked_up: dict[str, _Contracts] = {customer: {} for customer in named}
        for row in rows:
            looked_up[row.customer][row.key] = row.contract()
        for customer, key, contract in self._committed.values():
            if customer in looked_up and contract is not None:
                looked_up[customer][key] = contract
        for customer, own in looked_up.items():
            self._contracts[customer] = own
            self._contracts.move_to_end(customer)
        while len(self._contracts) > max(CUSTOMERS_HELD_MAX, len(named)):
            self._contracts.popitem(last=False)


def _channel(delivery: Delivery) -> str | None:
    try:
        return channel_of(delivery.topic)
    except ValueError:
        return None
