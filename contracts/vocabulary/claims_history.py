"""What a car and its keeper bring along from former insurance: the history that no-claims levels follow from."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.vocabulary.model import ChannelModel

Years = Annotated[int, Field(ge=0, le=99)]
ClaimCount = Annotated[int, Field(ge=0, le=99)]


class ClaimsHistory(ChannelModel):
    """The history of a car under former contracts; what is left out is not known, which is not the same as none.

    For a no-claims level: `claims_in_three_years` of cover, `years_insured` without a break, `gap_months` since
    the last cover ended, the `last_level`, whether the car was `transferred` to a new keeper since, or is a `new_car`
    without any history.
    For bonus-malus: `last_coefficient` in hundredths as of the last contract, the `clean_years` since without a
    claim at fault, and the claims of the last year by fault.
    """

    claims_in_three_years: ClaimCount | None = None
    years_insured: Years | None = None
    gap_months: Annotated[int, Field(ge=0, le=1_200)] | None = None
    last_level: Annotated[int, Field(ge=-20, le=20)] | None = None
    transferred: bool | None = None
    new_car: bool | None = None
    last_coefficient: Annotated[int, Field(ge=50, le=350)] | None = None
    clean_years: Years | None = None
    full_fault_claims: ClaimCount | None = None
    half_fault_claims: ClaimCount | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.clean_years and (self.full_fault_claims or self.half_fault_claims):
            raise ValueError("a year with a claim at fault is no clean one; correct clean_years or the claims")
        past = ("claims_in_three_years", "years_insured", "gap_months", "last_level", "transferred")
        if self.new_car and (told := [name for name in past if getattr(self, name)]):
            raise ValueError(f"a new car has no history; leave out {', '.join(told)} or new_car")
        return self
