"""Motor: the car, its drivers and its history are one subject, with the facts that the channel quoted on."""

from collections.abc import Iterator
from datetime import date

from contracts.vocabulary.claims_history import ClaimsHistory
from contracts.vocabulary.lines.motor import Driver, MotorRisk, Vehicle
from contracts.vocabulary.time import completed_months, completed_years
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
_OF_CAR = {
    "drivers": Fact("drivers", numeric=True),
    "youngest_driver_age": Fact("drivers.birth_date", numeric=True),
    "least_years_licensed": Fact("drivers.licensed_on", numeric=True),
    "seats": Fact("vehicle.seats", numeric=True),
    "passenger_seats": Fact("vehicle.seats", numeric=True),
    "vehicle_value_minor": Fact("vehicle.value_minor", numeric=True),
    "vehicle_age_months": Fact("vehicle.first_registered", numeric=True),
}
_HISTORY_NUMBERS = (
    "claims_in_three_years",
    "years_insured",
    "gap_months",
    "last_level",
    "last_coefficient",
    "clean_years",
    "full_fault_claims",
    "half_fault_claims",
)
_HISTORY_YES_NO = ("transferred", "new_car")
_OF_NEW_CAR = ("claims_in_three_years", "years_insured")
_STATED = (*_NUMBERS, *_CATEGORIES)


def _subjects(risk: MotorRisk, effective: date) -> tuple[Subject, ...]:
    # The channel states the usual driver's age as it was when it quoted, so the day of cover does not change it.
    # What was not told is no fact: a rate that needs it is then missing, and is never guessed.
    facts: dict[str, FactValue] = {name: value for name in _STATED if (value := getattr(risk, name)) is not None}
    if risk.vehicle is not None:
        facts.update(_of_vehicle(risk.vehicle, effective))
    if risk.drivers is not None:
        facts.update(_of_drivers(risk.drivers, effective))
    if risk.claims_history is not None:
        facts.update(_of_history(risk.claims_history))
    return (Subject("risk", facts),)


def _of_vehicle(vehicle: Vehicle, effective: date) -> Iterator[tuple[str, int]]:
    if vehicle.seats is not None:
        yield "seats", vehicle.seats
        # The driver sits on one of them.
        yield "passenger_seats", vehicle.seats - 1
    if vehicle.value_minor is not None:
        yield "vehicle_value_minor", vehicle.value_minor
    if vehicle.first_registered is not None:
        yield "vehicle_age_months", max(completed_months(vehicle.first_registered, effective), 0)


def _of_drivers(drivers: tuple[Driver, ...], effective: date) -> Iterator[tuple[str, int]]:
    yield "drivers", len(drivers)
    yield "youngest_driver_age", min(completed_years(driver.birth_date, effective) for driver in drivers)
    licensed = [driver.licensed_on for driver in drivers if driver.licensed_on is not None]
    if len(licensed) == len(drivers):
        yield "least_years_licensed", max(completed_years(max(licensed), effective), 0)


def _of_history(history: ClaimsHistory) -> Iterator[tuple[str, FactValue]]:
    for name in _HISTORY_NUMBERS:
        if (number := getattr(history, name)) is not None:
            yield name, number
        elif history.new_car and name in _OF_NEW_CAR:
            # Whoever tells that the car is new has told that there were no years and no claims.
            yield name, 0
    for name in _HISTORY_YES_NO:
        if (told := getattr(history, name)) is not None:
            yield name, "yes" if told else "no"


RULES = LineRules(
    facts={name: Fact(name, numeric=True) for name in _NUMBERS}
    | {name: Fact(name) for name in _CATEGORIES}
    | _OF_CAR
    | {name: Fact(f"claims_history.{name}", numeric=True) for name in _HISTORY_NUMBERS}
    | {name: Fact(f"claims_history.{name}", values=("yes", "no")) for name in _HISTORY_YES_NO},
    subjects=_subjects,
)
