"""Rows: pricing and underwriting one application of the deepest health product, on one core.

Counted by the processor time of this process, so that what else the machine does is not in it. The applications differ
in birthday, gender and smoking; each is priced with its whole working. No server takes part.
"""

import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from services.kernel.messages import Delivery
from services.quote.catalogue import Catalogue
from services.quote.domain import applications
from services.quote.domain.checks import underwriting_faults
from services.quote.domain.commands import SubmitApplication
from services.quote.domain.pricing import price
from services.quote.domain.products import subjects_of
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.state import NothingYet
from services.quote.inbound import QuoteInbound
from tests.bench.measuring import Bench, Row, least_row
from tests.support.deep_health import deep_health, deep_order

WANTED = 10_000
APPLICATIONS = 500


async def measure(bench: Bench) -> list[Row]:
    """Applications a second of processor time."""
    turns, seconds = bench.repetitions, 0.5 if bench.quick else 2.0
    one, family = commands(1), commands(4)
    wanted = f"{WANTED:,} applications/s on one core"
    return [
        _row("price and underwrite, one person, six coverages", one, price_and_underwrite, turns, seconds, wanted),
        _row("the whole decision with its events, one person", one, decide, turns, seconds),
        _row("price and underwrite, four persons", family, price_and_underwrite, turns, seconds),
    ]


def commands(persons: int) -> list[SubmitApplication]:
    """Applications as intake makes them of orders, each of other persons."""
    inbound = QuoteInbound(Catalogue([ProductVersion.of(deep_health())]))
    made: list[SubmitApplication] = []
    for number in range(APPLICATIONS):
        insureds = [
            {
                "birth_date": f"{1961 + (7 * number + 13 * place) % 62}-{1 + number % 12:02d}-{1 + number % 28:02d}",
                "gender": "FM"[(number + place) % 2],
                "smoker": (number + place) % 3 == 0,
            }
            for place in range(persons)
        ]
        order = deep_order(order_no=f"D-{number}", risk={"line": "health", "insureds": insureds})
        record = Delivery("orders.shop.v1", 0, number, b"", json.dumps(order).encode(), (), 0)
        command = inbound.react_to_channel(record)[0].command
        assert isinstance(command, SubmitApplication)
        made.append(at_the_tariffs_price(command))
    return made


def at_the_tariffs_price(command: SubmitApplication) -> SubmitApplication:
    """The same application with the premium that it will be found to cost."""
    assert command.product is not None
    rated = price(command.order, command.product, subjects_of(command.order.risk, command.order.effective)).rated
    assert rated is not None
    premium_minor = sum(coverage.premium_minor for coverage in rated)
    return replace(command, order=command.order.model_copy(update={"premium_minor": premium_minor}))


def price_and_underwrite(command: SubmitApplication) -> None:
    """Facts, underwriting and price with its working."""
    assert command.product is not None
    subjects = subjects_of(command.order.risk, command.order.effective)
    assert not list(underwriting_faults(subjects, command.product))
    assert price(command.order, command.product, subjects).agreed


def decide(command: SubmitApplication) -> None:
    """Everything between an order and its events."""
    assert len(applications.decide(command, NothingYet())) == 3


def _row(
    name: str,
    waiting: Sequence[SubmitApplication],
    work: Callable[[SubmitApplication], None],
    turns: int,
    seconds: float,
    wanted: str = "",
) -> Row:
    rates = [rate_of(waiting, work, seconds) for _ in range(turns + 1)][1:]
    row = least_row(name, "applications/s", rates, wanted=wanted, at_least=WANTED)
    return row if wanted else Row(row.name, row.against, "", row.measured, "", None)


def rate_of(waiting: Sequence[SubmitApplication], work: Callable[[SubmitApplication], None], seconds: float) -> float:
    """Applications a second of processor time."""
    started, count = time.process_time(), 0
    for command in itertools.cycle(waiting):
        work(command)
        count += 1
        if count % 50 == 0 and time.process_time() - started >= seconds:
            break
    return count / (time.process_time() - started)
