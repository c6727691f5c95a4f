"""The coverage tree of a product: plan > coverage > benefit, and what may be bought together."""

from typing import Annotated, Literal

from pydantic import Field, Strict, StringConstraints

from contracts.vocabulary.identifiers import CoverageCode
from contracts.vocabulary.lines.health import INSUREDS_MAX
from contracts.vocabulary.money import BASIS_POINTS, NonNegativeMinor, PositiveMinor
from contracts.vocabulary.persons import Relation
from contracts.vocabulary.products import COVERAGES_MAX
from services.quote.domain.products.part import DocumentPart, PlainText, Title, Wording

BENEFITS_MAX = 50
EXCLUSIONS_MAX = 100
WAITING_DAYS_MAX = 365

PartCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$")]


class Limits(DocumentPart):
    """The most that is paid for one event, in one year of cover, and ever; null where nothing is said."""

    per_event_minor: PositiveMinor | None = None
    per_year_minor: PositiveMinor | None = None
    lifetime_minor: PositiveMinor | None = None


class Deductible(DocumentPart):
    """What the insured bears first, of each event or once a year."""

    amount_minor: PositiveMinor
    per: Literal["event", "year"]


class PayStep(DocumentPart):
    """The share of the eligible cost that is paid once the deductible is borne (the rest is the co-pay).

    It holds for the part of an event's cost above `above_minor`, up to where the next step begins. With
    `social_insurance` it holds for bills that social insurance has, or has not, paid its part of; null for
    all. `limit_minor` is the most that is paid in a year under this step.
    """

    pay_ratio_bp: Annotated[int, Strict(), Field(ge=1, le=BASIS_POINTS)]
    above_minor: NonNegativeMinor = 0
    social_insurance: Literal["used", "not-used"] | None = None
    limit_minor: PositiveMinor | None = None


class Exclusion(DocumentPart):
    """Something that is never paid for."""

    code: PartCode
    text: Wording


class CoverLevel(DocumentPart):
    """What each level of the tree may say. What it leaves out is as the level above says; exclusions add up.

    `waiting_days` is how many days from the start of cover an event of `waiting_causes` is not covered yet.
    """

    limits: Limits = Limits()
    deductible: Deductible | None = None
    pay: Annotated[tuple[PayStep, ...], Field(max_length=20)] = ()
    waiting_days: Annotated[int, Strict(), Field(ge=0, le=WAITING_DAYS_MAX)] | None = None
    waiting_causes: Literal["sickness", "all"] | None = None
    exclusions: Annotated[tuple[Exclusion, ...], Field(max_length=EXCLUSIONS_MAX)] = ()


class Benefit(CoverLevel):
    """One kind of cost or event that a coverage pays for."""

    code: PartCode
    title: Title


class SumInsuredRange(DocumentPart):
    """Sums insured that the order may state: from one to another, both included, in whole steps."""

    at_least_minor: PositiveMinor
    at_most_minor: PositiveMinor
    step_minor: PositiveMinor


class PlannedCoverage(CoverLevel):
    """A coverage of the plan.

    `sums_insured_minor` holds the sums that a buyer may choose from: one is a fixed sum. With
    `sum_insured_range` the order states the sum; with neither the coverage has none. The sum is that of the
    whole contract, or of each insured person or passenger seat (`sum_insured_for`). `class_of_business` is
    the insurer's accounting class. `mandatory` coverages are in every order; `compulsory` ones the law
    demands, whether this product has to bring them or not. A rider (`rider_on`) is bought with any one of
    the coverages named. `relations` says which persons it insures: null all.
    """

    code: CoverageCode
    title: Title
    class_of_business: PlainText
    mandatory: bool = False
    sums_insured_minor: Annotated[tuple[PositiveMinor, ...], Field(max_length=100)] = ()
    sum_insured_range: SumInsuredRange | None = None
    sum_insured_for: Literal["contract", "person", "seat"] = "contract"
    compulsory: bool = False
    rider_on: Annotated[tuple[CoverageCode, ...], Field(max_length=COVERAGES_MAX)] = ()
    relations: Annotated[tuple[Relation, ...], Field(min_length=1)] | None = None
    benefits: Annotated[tuple[Benefit, ...], Field(max_length=BENEFITS_MAX)] = ()

    @property
    def has_sum_insured(self) -> bool:
        """Whether an order chooses, or states, a sum insured."""
        return bool(self.sums_insured_minor) or self.sum_insured_range is not None

    @property
    def may_be_rated_per_mille(self) -> bool:
        """Whether there is a sum insured to take thousandths of: the order's, or in a group that of the class."""
        return self.has_sum_insured or self.sum_insured_for == "person"

    @property
    def greatest_sum_minor(self) -> int | None:
        """The greatest sum insured that can be had."""
        if self.sum_insured_range is not None:
            return self.sum_insured_range.at_most_minor
        return max(self.sums_insured_minor, default=None)

    def offers(self, sum_insured_minor: int | None) -> bool:
        """Whether the coverage can be had with this sum insured."""
        span = self.sum_insured_range
        if span is None or sum_insured_minor is None:
            return sum_insured_minor in self.sums_insured_minor
        inside = span.at_least_minor <= sum_insured_minor <= span.at_most_minor
        return inside and (sum_insured_minor - span.at_least_minor) % span.step_minor == 0

    def offered(self) -> str:
        """The sums insured on offer, in words."""
        span = self.sum_insured_range
        if span is None:
            return ", ".join(map(str, self.sums_insured_minor))
        return f"{span.at_least_minor} to {span.at_most_minor} in steps of {span.step_minor}"


class Combination(DocumentPart):
    """Which coverages may be bought with each other: at least `count` of them, at most, or not two at once."""

    kind: Literal["at-least", "at-most", "not-together"]
    of: Annotated[tuple[CoverageCode, ...], Field(min_length=2, max_length=COVERAGES_MAX)]
    count: Annotated[int, Strict(), Field(ge=1, le=COVERAGES_MAX)] = 1


class Dependants(DocumentPart):
    """Who may be insured beside the policyholder, and how many of them; every insured then tells the relation."""

    relations: tuple[Relation, ...] = ()
    at_most: Annotated[int, Strict(), Field(ge=0, le=INSUREDS_MAX)] | None = None


class Plan(CoverLevel):
    """The root of the tree: what holds for all coverages together. Without `dependants` nobody asks who is who."""

    dependants: Dependants | None = None
    combinations: Annotated[tuple[Combination, ...], Field(max_length=50)] = ()
