"""Draws cars and drivers, and prices whatever is insured as the channels of the generated book would."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from random import Random
from typing import Any

from pydantic import TypeAdapter

from contracts.vocabulary.lines import InsuredRisk
from contracts.vocabulary.money import divide_half_up
from contracts.vocabulary.time import add_months
from services.demo.raw import Outcome
from services.quote.domain.products import subjects_of
from services.quote.domain.products.cover import covered, total_insured_minor
from services.quote.domain.products.disclosures import declared
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.rating.adjusting import Term
from services.quote.domain.products.rating.price import rate
from services.quote.domain.products.version import ProductVersion
from services.quote.product_files import SHIPPED, read_product_file

MOTOR_COVERAGES = ("TPLM", "TPLV", "Windscreen", "Fire", "Theft", "DamAll", "Legal", "Serv", "Acc1", "Acc2")

# Yearly price in cents of a middle-class car at bonus-malus 100, and how many drivers in a hundred buy it.
_MOTOR_BASE = {
    "TPLM": (24_000, 100),
    "TPLV": (1_600, 96),
    "Windscreen": (2_600, 82),
    "Fire": (900, 70),
    "Theft": (5_200, 66),
    "DamAll": (19_500, 45),
    "Legal": (1_100, 74),
    "Serv": (5_400, 88),
    "Acc1": (2_300, 38),
    "Acc2": (1_700, 31),
}
_BY_DRIVING = ("TPLM", "DamAll")
_CLASS_PERCENT = {"mini": 70, "small": 85, "middle": 100, "upper": 140, "luxury": 230}
_CLASS_WEIGHTS = (18, 34, 30, 14, 4)
_BONUS_MALUS = (50, 54, 57, 60, 64, 68, 72, 76, 80, 85, 90, 95, 100, 118, 140, 175)
_BONUS_MALUS_WEIGHTS = (38, 3, 3, 5, 5, 5, 5, 5, 5, 5, 4, 3, 8, 3, 2, 1)
_RISK: TypeAdapter[InsuredRisk] = TypeAdapter(InsuredRisk)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A risk with the coverages chosen for it, as they stand in an order, and the total price.

    `insured_minor` is the most that each coverage bought pays in the term, None for one without limit. `waits_for` is
    what an underwriter or the customer has to say first, where one has.
    """

    risk: Mapping[str, Any]
    coverages: tuple[Mapping[str, Any], ...]
    premium_minor: int
    insured_minor: Mapping[str, int | None]
    disclosures: Mapping[str, Any] | None = None
    waits_for: Outcome | None = None


@cache
def shipped(code: str) -> ProductDocument:
    """A product as it is shipped: a channel quotes by the insurer's own tariff, where there is one."""
    return read_product_file(SHIPPED / f"{code}.yaml")


@cache
def version_of(code: str) -> ProductVersion:
    """A shipped product as orders are priced by it."""
    return ProductVersion.of(shipped(code))


def motor_quote(random: Random) -> Quoted:
    """A car, its driver and prices by class, age and bonus-malus; a tenth of them list unbought coverages at zero."""
    driver_age = min(18 + int(random.triangular(0, 70, 22)), 92)
    vehicle_class = random.choices(list(_CLASS_PERCENT), _CLASS_WEIGHTS)[0]
    bonus_malus = random.choices(_BONUS_MALUS, _BONUS_MALUS_WEIGHTS)[0]
    risk = {
        "line": "motor",
        "driver_age": driver_age,
        "driver_gender": random.choice("FM"),
        "licences": random.randint(1, 4),
        "bonus_malus": bonus_malus,
        "vehicle_age": random.randint(0, 18),
        "vehicle_class": vehicle_class,
        "vehicle_power": f"{random.randint(4, 16) * 10} kW",
        "fuel": random.choice(("petrol", "diesel", "electric")),
        "usage": random.choice(("private", "private and commuting", "business")),
        "garage": random.choice(("own garage", "shared garage", "street")),
        "area": f"zone {random.randint(1, 9)}",
        "region": random.choice(("north", "east", "south", "west")),
    }
    if random.random() < 0.6:
        risk["occupation"] = random.choice(("employee", "teacher", "nurse", "farmer", "retired"))
    lists_all = random.random() < 0.1
    age_percent = 160 if driver_age < 25 else 115 if driver_age > 74 else 100
    coverages: list[dict[str, Any]] = []
    for code, (base_minor, bought) in _MOTOR_BASE.items():
        driving = bonus_malus * age_percent if code in _BY_DRIVING else 10_000
        price_minor = divide_half_up(base_minor * _CLASS_PERCENT[vehicle_class] * driving, 1_000_000)
        if random.randrange(100) < bought:
            coverages.append({"code": code, "premium_minor": price_minor})
        elif lists_all:
            coverages.append({"code": code, "premium_minor": 0})
    insured = {coverage["code"]: None for coverage in coverages if coverage["premium_minor"]}
    return Quoted(risk, tuple(coverages), sum(coverage["premium_minor"] for coverage in coverages), insured)


def quoted_by_tariff(
    product: ProductDocument,
    effective: date,
    risk: Mapping[str, Any],
    chosen: Mapping[str, int | None],
    disclosures: Mapping[str, Any] | None = None,
) -> Quoted:
    """A risk with `chosen` coverages (code to sum insured) at the price of the product's own tariff.

    Raises ValueError where the tariff has no price.
    """
    version = version_of(product.code)
    if version.rating is None:
        raise ValueError(f"{product.code} is not sold by tariff")
    subjects = declared(subjects_of(_RISK.validate_python(risk), effective), disclosures)
    subjects = covered(subjects, chosen.items(), version)
    expiry, group = add_months(effective, product.term_months), product.group
    term = Term(effective, expiry, expiry)
    blending = None if group is None else group.blended
    rating = rate(version.rating, chosen.items(), subjects, term=term, blending=blending)
    if rating.faults:
        raise ValueError(rating.faults[0].message)
    plan = {planned.code: planned for planned in product.coverages}
    return Quoted(
        risk,
        tuple(
            {"code": code} if sum_minor is None else {"code": code, "sum_insured_minor": sum_minor}
            for code, sum_minor in chosen.items()
        ),
        sum(rating.premiums.values()),
        {code: total_insured_minor(plan[code], sum_minor, subjects) for code, sum_minor in chosen.items()},
        disclosures,
    )
