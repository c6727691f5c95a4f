"""Individual health: the persons who are insured together."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.vocabulary.model import ChannelModel
from contracts.vocabulary.persons import Disclosures, Gender, Relation
from contracts.vocabulary.risk import Risk
from contracts.vocabulary.time import CivilDate

INSUREDS_MAX = 50


class InsuredPerson(ChannelModel):
    """One insured of a health contract, as far as tariff and underwriting need to know."""

    birth_date: CivilDate
    gender: Gender
    smoker: bool = False
    relation: Relation | None = None
    social_insurance: bool | None = None
    disclosures: Disclosures | None = None


class HealthRisk(Risk):
    """The persons insured together under one health contract."""

    line: Literal["health"]
    insureds: Annotated[tuple[InsuredPerson, ...], Field(min_length=1, max_length=INSUREDS_MAX)]


RISK = HealthRisk
