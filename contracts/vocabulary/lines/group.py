"""Group: an employer, and the census of those whom it insures."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contracts.vocabulary.identifiers import ExternalNumber
from contracts.vocabulary.model import ChannelModel, ShortText
from contracts.vocabulary.persons import AgeYears, Gender, Relation
from contracts.vocabulary.risk import Risk
from contracts.vocabulary.time import CivilDate

MEMBERS_MAX = 3_000
"""Members of one census. A row with a birth date and no name is 80 bytes, so 3,200 of them would fit a channel
message of 256 KiB, and 2,600 with names; the log writes each one longer and holds the whole order in one event."""

ClassCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$")]


class Employer(ChannelModel):
    """The policyholder of a group contract."""

    name: ShortText
    registration_no: ShortText | None = None
    industry: ShortText | None = None


class GroupMember(ChannelModel):
    """One row of a census. `member_no` is the employer's own reference.

    `joins` is the first day that the member is covered, where cover begins after the contract's own first day;
    the name may come on that day, and `age` is told as of it.
    """

    member_no: ExternalNumber
    birth_date: CivilDate | None = None
    age: AgeYears | None = None
    gender: Gender
    cover_class: ClassCode
    relation: Relation = "self"
    name: ShortText | None = None
    joins: CivilDate | None = None

    @model_validator(mode="after")
    def _is_of_an_age(self) -> Self:
        if (self.birth_date is None) == (self.age is None):
            raise ValueError("give either birth_date or age")
        return self


class GroupRisk(Risk):
    """An employer and the census of those whom it insures."""

    line: Literal["group"]
    employer: Employer
    members: Annotated[tuple[GroupMember, ...], Field(min_length=1, max_length=MEMBERS_MAX)]

    @model_validator(mode="after")
    def _each_member_once(self) -> Self:
        seen: set[str] = set()
        twice = [member.member_no for member in self.members if member.member_no in seen or seen.add(member.member_no)]  # type: ignore[func-returns-value]
        if twice:
            raise ValueError(f"each member stands in the census once; {twice[0]} comes again")
        return self


RISK = GroupRisk
