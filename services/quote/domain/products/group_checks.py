"""Whether a census is one that a group product takes: headcount, classes, names, and days of joining."""

from collections.abc import Iterator, Sequence
from datetime import date

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.lines.group import GroupMember
from services.quote.domain.products.group_terms import CENSUS_PATH, CLASS_FACT, GroupTerms, joins_later
from services.quote.domain.products.rules import Subject


def census_faults(
    group: GroupTerms, members: Sequence[GroupMember], subjects: Sequence[Subject], effective: date, expiry: date
) -> Iterator[Fault]:
    """Everything that is wrong with the census of an order for the days `[effective, expiry)`."""
    present = sum(not joins_later(member, effective) for member in members)
    if present < group.minimum_headcount:
        later = len(members) - present
        told = f"{present} members{f' from the first day, and {later} who join later' if later else ''}"
        message = f"the census has {told}; a group has at least {group.minimum_headcount} from the first day"
        yield Fault(code=FaultCode.HEADCOUNT_TOO_LOW, path=CENSUS_PATH, message=message)
    yield from class_faults(group, subjects)
    for place, member in enumerate(members):
        path = f"{CENSUS_PATH}.{place}"
        if member.joins is not None and not effective <= member.joins < expiry:
            message = f"a member joins from {effective} on and before {expiry}, not on {member.joins}; mend the day"
            yield Fault(code=FaultCode.INVALID_FIELD, path=f"{path}.joins", message=message)
        if group.names_required and member.name is None and not joins_later(member, effective):
            message = (
                "who is covered from the first day is named; add the name, "
                "or in joins the later day from which the member is covered"
            )
            yield Fault(code=FaultCode.MISSING_FIELD, path=f"{path}.name", message=message)


def class_faults(group: GroupTerms, subjects: Sequence[Subject]) -> Iterator[Fault]:
    """Members in classes that the product does not have."""
    classes = [each.code for each in group.classes]
    for subject in subjects:
        if subject.facts.get(CLASS_FACT) not in classes:
            message = f"class {subject.facts.get(CLASS_FACT)} is none of the product's: {', '.join(classes)}"
            yield Fault(code=FaultCode.CLASS_NOT_IN_PLAN, path=f"{subject.path}.{CLASS_FACT}", message=message)
