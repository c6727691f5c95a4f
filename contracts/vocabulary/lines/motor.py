"""Motor: a car, who drives it, and its history."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contracts.vocabulary.claims_history import ClaimsHistory
from contracts.vocabulary.model import ChannelModel, ShortText
from contracts.vocabulary.money import PositiveMinor
from contracts.vocabulary.persons import AgeYears, Gender
from contracts.vocabulary.risk import Risk
from contracts.vocabulary.time import CivilDate

DRIVERS_MAX = 20


class Vehicle(ChannelModel):
    """What identifies a car and says what it is worth new, in minor units."""

    plate_no: ShortText | None = None
    vin: Annotated[str, StringConstraints(pattern=r"^[A-HJ-NPR-Z0-9]{17}$")] | None = None
    model: ShortText | None = None
    first_registered: CivilDate | None = None
    seats: Annotated[int, Field(ge=1, le=100)] | None = None
    value_minor: PositiveMinor | None = None


class Driver(ChannelModel):
    """A person who drives the car."""

    birth_date: CivilDate
    gender: Gender | None = None
    licensed_on: CivilDate | None = None
    name: ShortText | None = None


class MotorRisk(Risk):
    """A car and its usual driver, as quoted by the channel; free-text categories stay as they came.

    `drivers` names everybody who drives, the usual driver too. `bonus_malus` is the coefficient as the channel
    states it; from a `claims_history` the insurer computes coefficient or no-claims level itself.
    """

    line: Literal["motor"]
    driver_age: AgeYears
    driver_gender: Gender
    marital_status: ShortText | None = None
    occupation: ShortText | None = None
    licences: Annotated[int, Field(ge=0, le=20)] | None = None
    bonus_malus: Annotated[int, Field(ge=50, le=350)] = 100
    vehicle_age: AgeYears
    vehicle_class: ShortText
    vehicle_power: ShortText
    fuel: ShortText
    usage: ShortText
    garage: ShortText
    area: ShortText
    region: ShortText
    vehicle: Vehicle | None = None
    drivers: Annotated[tuple[Driver, ...], Field(min_length=1, max_length=DRIVERS_MAX)] | None = None
    claims_history: ClaimsHistory | None = None


RISK = MotorRisk
