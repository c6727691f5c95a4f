"""What channels have sold: read from the read model, with what was decided here since added at once."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from services.kernel.messages import Recorded
from services.kernel.read_models import ReadModels
from services.quote import underwriting_queries
from services.quote.domain.events import ApplicationAccepted, ApplicationNotIssued
from services.quote.domain.underwriting.assessment import ChannelSales, OtherContract, Sales
from services.quote.domain.underwriting.offers import sum_insured_minor

_Sold = tuple[str, str]
"""Channel and product."""


def contract_of(event: ApplicationAccepted) -> tuple[str, OtherContract]:
    """An accepted contract as rules look at it, under the channel and number of its order."""
    terms = event.terms
    contract = OtherContract(
        contract_id=terms.contract_id,
        product_code=terms.product_code,
        currency=terms.currency,
        effective=terms.period.effective,
        expiry=terms.period.expiry,
        premium_minor=terms.premium_minor,
        sums_insured_minor={
            one.code: one.sum_insured_minor for one in terms.coverages if one.sum_insured_minor is not None
        },
        channel=terms.channel,
    )
    return f"{terms.channel}/{terms.order_no}", contract


class SalesCount:
    """Sales by channel, product and day; what a channel was not looked up for is not known."""

    def __init__(self) -> None:
        self._products: frozenset[str] = frozenset()
        self._counted: dict[_Sold, dict[date, Sales]] = {}
        self._decided: dict[_Sold, dict[date, Sales]] = {}
        self._committed: dict[tuple[int, int], tuple[_Sold, date, Sales]] = {}

    def begin(self) -> None:
        """Nothing is decided in the transaction that begins."""
        self._decided = {}

    def of(self, channel: str, product: str, day: date) -> ChannelSales | None:
        """What the channel has sold by now; None where it was not looked up."""
        sold = (channel, product)
        counted = self._counted.get(sold)
        if counted is None:
            return None
        days = (counted, self._decided.get(sold, {}))
        return ChannelSales(
            today=_total(own[day] for own in days if day in own),
            ever=_total(one for own in days for one in own.values()),
        )

    def decided(self, event: ApplicationAccepted) -> None:
        """Count an order that was accepted in the transaction under way."""
        if event.placed_on is not None:
            sold = (event.terms.channel, event.terms.product_code)
            _add(self._decided.setdefault(sold, {}), event.placed_on, _sale(event))

    def committed(self, recorded: Recorded[Any]) -> None:
        """Count what is in the log, until the read model has it."""
        event = recorded.event
        terms = event.accepted if isinstance(event, ApplicationNotIssued) else event.terms
        if terms is None or terms.product_code not in self._products:
            return
        sold, sale = (terms.channel, terms.product_code), _sale(event)
        day = event.placed_on or recorded.recorded_at.date()
        self._committed[recorded.partition, recorded.position] = (sold, day, sale)
        if sold in self._counted:
            _add(self._counted[sold], day, sale)

    async def refresh(self, read: ReadModels, channels: Collection[str], products: Collection[str]) -> None:
        """Read what these channels have sold of these products, and add what the read model does not have yet."""
        self._products = frozenset(products)
        rows, passed = await underwriting_queries.channel_sales(read, sorted(channels), sorted(products))
        self._committed = {place: one for place, one in self._committed.items() if place[1] > passed.get(place[0], 0)}
        counted: dict[_Sold, dict[date, Sales]] = {(channel, code): {} for channel in channels for code in products}
        for row in rows:
            _add(counted[row.channel, row.product_code], row.day, row.sales())
        for sold, day, sale in self._committed.values():
            if sold in counted:
                _add(counted[sold], day, sale)
        self._counted |= counted


def _sale(event: ApplicationAccepted | ApplicationNotIssued) -> Sales:
    terms, sign = (event.terms, 1) if isinstance(event, ApplicationAccepted) else (event.accepted, -1)
    if terms is None:
        return Sales()
    return Sales(sign, sign * terms.premium_minor, sign * sum_insured_minor(terms))


def _add(days: dict[date, Sales], day: date, sale: Sales) -> None:
    days[day] = days.get(day, Sales()).plus(sale)


def _total(sales: Iterable[Sales]) -> Sales:
    whole = Sales()
    for one in sales:
        whole = whole.plus(one)
    return whole
