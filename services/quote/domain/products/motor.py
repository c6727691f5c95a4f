"""Motor: the car and its usual driver are one subject, with the facts that the channel quoted on."""

from datetime import date

from contracts.vocabulary.products import MotorRisk, ProductLine
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


def _subjects(risk: MotorRisk, effective: date) -> tuple[Subject, ...]:  # noqa: ARG001
    # The channel states ages as they were when it quoted, so the day of cover changes nothing.
    # What was not told is no fact: a rate that needs it is then missing, and is never guessed.
    facts: dict[str, FactValue] = {name: value for name, value in risk if value is not None and name != "line"}
    return (Subject("risk", facts),)


MOTOR_RULES = LineRules(
    line=ProductLine.MOTOR,
    facts={name: Fact(name, numeric=True) for name in _NUMBERS} | {name: Fact(name) for name in _CATEGORIES},
    subjects=_subjects,
)
