"""Motor: the car and its drivers are one subject, with the facts that the channel quoted on."""

from collections.abc import Iterator
from datetime import date

from contracts.vocabulary.products import Driver, MotorRisk, ProductLine
from contracts.vocabulary.time import completed_years
from services.quote.domain.products.rules import Fact, FactValue, LineRules, Subject

_NUMBERS = ("driver_age", "bonus_malus", "vehicle_age", "licences")
_CATEGORIES = (
    "driver_gender",
    "marital_status",
    "occupation",
    "vehicle_class",
    "vehicle_power",
    "fuel",
    "usage",
    "garage",
    "area",
    "region",
)
_OF_DRIVERS = {
    "drivers": Fact("drivers", numeric=True),
    "youngest_driver_age": Fact("drivers.birth_date", numeric=True),
    "least_years_licensed": Fact("drivers.licensed_on", numeric=True),
    "seats": Fact("vehicle.seats", numeric=True),
}
_STATED = (*_NUMBERS, *_CATEGORIES)


def _subjects(risk: MotorRisk, effective: date) -> tuple[Subject, ...]:
    # The channel states the usual driver's age as it was when it quoted, so the day of cover does not change it.
    # What was not told is no fact: a rate that needs it is then missing, and is never guessed.
    facts: dict[str, FactValue] = {name: value for name in _STATED if (value := getattr(risk, name)) is not None}
    if risk.vehicle is not None and risk.vehicle.seats is not None:
        facts["seats"] = risk.vehicle.seats
    if risk.drivers is not None:
        facts.update(_of_drivers(risk.drivers, effective))
    return (Subject("risk", facts),)


def _of_drivers(drivers: tuple[Driver, ...], effective: date) -> Iterator[tuple[str, int]]:
    yield "drivers", len(drivers)
    yield "youngest_driver_age", min(completed_years(driver.birth_date, effective) for driver in drivers)
    licensed = [driver.licensed_on for driver in drivers if driver.licensed_on is not None]
    if len(licensed) == len(drivers):
        yield "least_years_licensed", max(completed_years(max(licensed), effective), 0)


RULES = LineRules(
    line=ProductLine.MOTOR,
    facts={name: Fact(name, numeric=True) for name in _NUMBERS}
    | {name: Fact(name) for name in _CATEGORIES}
    | _OF_DRIVERS,
    subjects=_subjects,
)
