"""A change of a group's census as an employer asks for it, and what is wrong with it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.identifiers import ExternalNumber
from contracts.vocabulary.lines.group import MEMBERS_MAX, GroupMember
from contracts.vocabulary.model import ChannelModel
from contracts.vocabulary.time import CivilDate
from services.quote.domain.products.group_terms import GroupTerms
from services.quote.domain.products.part import misfit

JOINS, LEAVES = "change.joins", "change.leaves"


class Joiner(GroupMember):
    """Who is covered from the day of the change on; `replaces` names the leaver of the same class that is replaced."""

    replaces: ExternalNumber | None = None


class Leaver(ChannelModel):
    """Who of the census is covered no longer from that day on, and whether there was a claim."""

    member_no: ExternalNumber
    claimed: bool = False


class CensusChange(ChannelModel):
    """Who joins and who leaves on one day, `effective`: the first day with, or without, cover."""

    effective: CivilDate
    joins: Annotated[tuple[Joiner, ...], Field(max_length=MEMBERS_MAX)] = ()
    leaves: Annotated[tuple[Leaver, ...], Field(max_length=MEMBERS_MAX)] = ()

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not self.joins and not self.leaves:
            raise ValueError("it names nobody; say who joins or who leaves")
        return self


def change_faults(
    change: CensusChange, members: Sequence[GroupMember], group: GroupTerms, effective: date, expiry: date
) -> Iterator[Fault]:
    """Everything that is wrong with a change of this census within the days `[effective, expiry)`."""
    if not effective <= change.effective < expiry:
        message = f"the census changes from {effective} on and before {expiry}; mend the day"
        yield Fault(code=FaultCode.INVALID_FIELD, path="change.effective", message=message)
    census = {member.member_no: member for member in members}
    leavers = {leaver.member_no: leaver for leaver in change.leaves}
    replaced = Counter(joiner.replaces for joiner in change.joins)
    seen: set[str] = set()
    for place, leaver in enumerate(change.leaves):
        if leaver.member_no not in census or leaver.member_no in seen:
            wrong = "leaves twice; keep one" if leaver.member_no in seen else "is not in the census; mend the number"
            yield misfit(f"{LEAVES}.{place}.member_no", f"member {leaver.member_no} {wrong}")
        seen.add(leaver.member_no)
    seen = set()
    for place, joiner in enumerate(change.joins):
        path = f"{JOINS}.{place}"
        if joiner.member_no in seen or (joiner.member_no in census and joiner.member_no not in leavers):
            wrong = "joins twice; keep one" if joiner.member_no in seen else "is in the census already"
            yield misfit(f"{path}.member_no", f"member {joiner.member_no} {wrong}")
        seen.add(joiner.member_no)
        if joiner.joins is not None and joiner.joins != change.effective:
            yield misfit(f"{path}.joins", "the day of the change is the day of joining; leave it out")
        if joiner.replaces is not None:
            yield from _swap_faults(joiner, census.get(joiner.replaces), leavers.get(joiner.replaces), group, path)
            if replaced[joiner.replaces] > 1:
                yield misfit(f"{path}.replaces", f"member {joiner.replaces} is replaced twice; name another")
    stay = (member for member in members if member.member_no not in leavers)
    left = len(change.joins) + sum((member.joins or effective) <= change.effective for member in stay)
    if left < group.minimum_headcount:
        message = f"{left} members would be left; a group has at least {group.minimum_headcount}"
        yield Fault(code=FaultCode.HEADCOUNT_TOO_LOW, path=LEAVES, message=message)


def _swap_faults(
    joiner: Joiner, member: GroupMember | None, leaver: Leaver | None, group: GroupTerms, path: str
) -> Iterator[Fault]:
    path = f"{path}.replaces"
    if leaver is None or member is None:
        yield misfit(path, f"member {joiner.replaces} does not leave on this day; name one who does")
        return
    if joiner.cover_class != member.cover_class:
        message = f"member {member.member_no} is of class {member.cover_class}, not {joiner.cover_class}"
        yield misfit(path, f"{message}; leave replaces out, so that each is charged alone")
    if leaver.claimed and not group.leavers.refund_after_claim:
        message = f"member {member.member_no} had a claim, so nothing of the premium is left to take over"
        yield misfit(path, f"{message}; leave replaces out")
