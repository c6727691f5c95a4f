"""Health: each insured person is a subject, with age in completed years on the day that cover starts."""

from datetime import date

from contracts.vocabulary.products import HealthRisk, ProductLine
from contracts.vocabulary.time import completed_years
from services.quote.domain.products.rules import Fact, LineRules, Subject


def _subjects(risk: HealthRisk, effective: date) -> tuple[Subject, ...]:
    return tuple(
        Subject(
            f"risk.insureds.{place}",
            {
                "age": completed_years(person.birth_date, effective),
                "gender": person.gender,
                "smoker": "yes" if person.smoker else "no",
            },
        )
        for place, person in enumerate(risk.insureds)
    )


HEALTH_RULES = LineRules(
    line=ProductLine.HEALTH,
    facts={
        "age": Fact("birth_date", numeric=True),
        "gender": Fact("gender", values=("F", "M")),
        "smoker": Fact("smoker", values=("yes", "no")),
    },
    subjects=_subjects,
)
