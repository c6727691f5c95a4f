"""Health: each insured person is a subject, with age in completed years on the day that cover starts."""

from datetime import date
from types import MappingProxyType
from typing import get_args

from contracts.vocabulary.lines.health import HealthRisk, InsuredPerson
from contracts.vocabulary.persons import Relation
from contracts.vocabulary.time import completed_years
from services.quote.domain.products.rules import Fact, FactValue, LineRules, Subject

_YES_NO = MappingProxyType({True: "yes", False: "no"})


def _subjects(risk: HealthRisk, effective: date) -> tuple[Subject, ...]:
    return tuple(
        Subject(
            f"risk.insureds.{place}",
            _facts(person, effective, len(risk.insureds)),
            answers=person.disclosures or {},
        )
        for place, person in enumerate(risk.insureds)
    )


def _facts(person: InsuredPerson, effective: date, insureds: int) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {
        "age": completed_years(person.birth_date, effective),
        # A newborn is insurable from a certain day of life on.
        "age_days": (effective - person.birth_date).days,
        "gender": person.gender,
        "smoker": _YES_NO[person.smoker],
        "insureds": insureds,
    }
    # What was not told is no fact: a rate that needs it is then missing, and is never guessed.
    if person.relation is not None:
        facts["relation"] = person.relation
    if person.social_insurance is not None:
        facts["social_insurance"] = _YES_NO[person.social_insurance]
    return facts


RULES = LineRules(
    facts={
        "age": Fact("birth_date", numeric=True),
        "age_days": Fact("birth_date", numeric=True),
        "gender": Fact("gender", values=("F", "M")),
        "smoker": Fact("smoker", values=("yes", "no")),
        "insureds": Fact("insureds", numeric=True),
        "relation": Fact("relation", values=get_args(Relation)),
        "social_insurance": Fact("social_insurance", values=("yes", "no")),
    },
    subjects=_subjects,
    asks_persons=True,
)
