"""Draws cars, drivers and families, and prices them as the channels of the generated book would."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any

from contracts.vocabulary.money import divide_half_up
from contracts.vocabulary.products import HealthRisk
from services.quote.domain.products import subjects_of
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.rating.plan import RatingPlan
from services.quote.domain.products.rating.price import rate
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
_ADULT_DAYS = (19 * 366, 63 * 365)
_CHILD_DAYS = (60, 17 * 365)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A risk with the coverages chosen for it, as they stand in an order, and the total price."""

    risk: Mapping[str, Any]
    coverages: tuple[Mapping[str, Any], ...]
    premium_minor: int


@cache
def health_product() -> ProductDocument:
    """The health product as it is shipped: a channel quotes by the insurer's own tariff."""
    return read_product_file(SHIPPED / "health-basic.yaml")


@cache
def _health_plan() -> RatingPlan:
    tariff = health_product().tariff
    if tariff is None:
        raise ValueError("the health product is not sold by tariff")
    return RatingPlan.of(tariff)


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
    return Quoted(risk, tuple(coverages), sum(coverage["premium_minor"] for coverage in coverages))


def health_quote(random: Random, effective: date) -> Quoted:
    """A family and the coverages that it chose, at the tariff's price."""
    insureds = [_person(random, effective, _ADULT_DAYS) for _ in range(random.choice((1, 1, 2)))]
    insureds += [_person(random, effective, _CHILD_DAYS) for _ in range(random.choice((0, 0, 1, 2)))]
    risk: dict[str, Any] = {"line": "health", "insureds": insureds}
    coverages = tuple(
        {"code": planned.code, "sum_insured_minor": random.choice(planned.sums_insured_minor)}
        for planned in health_product().coverages
        if planned.mandatory or random.random() < 0.6
    )
    return Quoted(risk, coverages, health_premium_minor(risk, coverages, effective))


def health_premium_minor(risk: Mapping[str, Any], coverages: tuple[Mapping[str, Any], ...], effective: date) -> int:
    """The tariff's yearly price. Raises ValueError where the tariff has none."""
    chosen = [(coverage["code"], coverage["sum_insured_minor"]) for coverage in coverages]
    rating = rate(_health_plan(), chosen, subjects_of(HealthRisk.model_validate(risk), effective))
    if rating.faults:
        raise ValueError(rating.faults[0].message)
    return sum(rating.premiums.values())


def _person(random: Random, effective: date, days: tuple[int, int]) -> dict[str, Any]:
    birth_date = effective - timedelta(days=random.randint(*days))
    adult = days == _ADULT_DAYS
    return {
        "birth_date": birth_date.isoformat(),
        "gender": random.choice("FM"),
        "smoker": adult and random.random() < 0.2,
    }
