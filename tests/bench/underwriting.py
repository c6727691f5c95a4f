"""The row of underwriting: every rule of a product tried and the order priced, in one thread without I/O."""

import time

from services.quote.domain.order import Order
from services.quote.domain.pricing import price
from services.quote.domain.products import subjects_of
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.underwriting.assessment import assess
from tests.bench.measuring import Bench, Row, least_row
from tests.support.builders import ADULT
from tests.unit.quote.orders import submit
from tests.unit.quote.underwritten import CUSTOMER, RULES, order, product, rule, standing

_APPLICATIONS = 5_000
_CHILD = {"birth_date": "2015-06-01", "gender": "M", "smoker": False}
_WANTED = 10_000


async def measure(bench: Bench) -> list[Row]:
    """A family of four under seventeen rules and a range; the customer has another contract."""
    version = product([*RULES, *(_further(age) for age in range(59, 49, -1))])
    message = order(ADULT, ADULT, _CHILD, _CHILD, policyholder_id=CUSTOMER)
    command = submit(message, product=version, customer=standing("motor-private"))
    found = [_rate(command.order, version) for _ in range(bench.repetitions)]
    name = "assess and price a family of four, 18 rules"
    return [least_row(name, "applications/s", found, wanted=f"{_WANTED:,} applications/s", at_least=_WANTED)]


def _further(age: int) -> dict[str, object]:
    older = {"fact": "age", "at_least": age}
    smokes = {"fact": "smoker", "equals": "yes"}
    elsewhere = {"not": {"fact": "order.channel", "equals": "bank"}}
    return rule(f"smoker-{age}", {"all": [older, smokes, elsewhere]}, "refer")


def _rate(ordered: Order, version: ProductVersion) -> float:
    """Applications a second; the CPU's time, as other work on the machine is not the subject."""
    known = standing("motor-private")
    started = time.process_time()
    for _ in range(_APPLICATIONS):
        subjects = subjects_of(ordered.risk, ordered.effective)
        assess(ordered, "shop", version, subjects, known)
        price(ordered, version, subjects)
    return _APPLICATIONS / (time.process_time() - started)
