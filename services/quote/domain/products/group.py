"""Group: each member of an employer's census is a subject, of the class of cover that the employer put them in."""

from datetime import date
from typing import get_args

from contracts.vocabulary.lines.group import GroupMember, GroupRisk
from contracts.vocabulary.persons import Relation
from contracts.vocabulary.time import completed_years
from services.quote.domain.products.group_terms import CENSUS_PATH, joins_later
from services.quote.domain.products.rules import Fact, FactValue, LineRules, Subject


def _subjects(risk: GroupRisk, effective: date) -> tuple[Subject, ...]:
    # Who is only announced makes a group no larger yet.
    shared: dict[str, FactValue] = {"headcount": sum(not joins_later(member, effective) for member in risk.members)}
    if risk.employer.industry is not None:
        shared["industry"] = risk.employer.industry
    return tuple(
        Subject(
            f"{CENSUS_PATH}.{place}",
            _facts(member, effective) | shared,
            count=0 if later else 1,
            joiners=((member.joins, 1),) if later and member.joins is not None else (),
        )
        for place, member in enumerate(risk.members)
        for later in (joins_later(member, effective),)
    )


def _facts(member: GroupMember, effective: date) -> dict[str, FactValue]:
    starts = max(member.joins or effective, effective)
    age = member.age if member.birth_date is None else completed_years(member.birth_date, starts)
    return {
        "age": age or 0,
        "gender": member.gender,
        "cover_class": member.cover_class,
        "relation": member.relation,
    }


RULES = LineRules(
    facts={
        "age": Fact("birth_date", numeric=True),
        "gender": Fact("gender", values=("F", "M")),
        "cover_class": Fact("cover_class"),
        "relation": Fact("relation", values=get_args(Relation)),
        "headcount": Fact("members", numeric=True),
        "industry": Fact("employer.industry"),
    },
    subjects=_subjects,
    census_path=CENSUS_PATH,
)
