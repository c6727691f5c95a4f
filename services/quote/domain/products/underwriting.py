"""The underwriting part of a product document: rules with outcome and reason, and how referrals are worked on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, SerializerFunctionWrapHandler, Strict, StringConstraints, model_serializer

from contracts.vocabulary.identifiers import CoverageCode
from contracts.vocabulary.money import NonNegativeMinor, PositiveMinor
from services.quote.domain.products.conditions import (
    Condition,
    Facts,
    Test,
    compiled,
    is_of_application,
)
from services.quote.domain.products.part import DocumentPart, FactName, PlainText
from services.quote.domain.products.ratio import RatioText
from services.quote.domain.products.rules import FactValue, Subject

RULES_MAX = 200
LEVEL_MAX = 9

RuleCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
RuleOutcome: TypeAlias = Literal["accept", "load", "exclude", "refer", "decline"]
STRENGTH: Mapping[str, int] = {"accept": 0, "load": 1, "exclude": 1, "refer": 2, "decline": 3}
"""Of all rules that fire the strongest outcome holds; loadings and exclusions hold together."""


class Reason(DocumentPart):
    """Why, in the languages of the console; the channel reads it too."""

    en: PlainText
    zh: PlainText


class UnderwritingRule(DocumentPart):
    """Either a range or a rule with an outcome.

    A range is the range, both ends included, that a numeric `fact` of every subject must lie in, or the
    application is declined. A rule with an outcome fires for each subject (or once, where it looks at nothing
    of a subject) for which `when` holds. `load` adds `percent` of the premium, or `amount_minor`, to the named
    `coverages` (all that are bought where none are named); `exclude` takes its `coverages` out of the cover.
    """

    fact: FactName | None = None
    at_least: Annotated[int, Strict()] | None = None
    at_most: Annotated[int, Strict()] | None = None
    code: RuleCode | None = None
    when: Condition | None = None
    outcome: RuleOutcome | None = None
    percent: RatioText | None = None
    amount_minor: PositiveMinor | None = None
    coverages: tuple[CoverageCode, ...] | None = None
    reason: Reason | None = None

    @model_serializer(mode="wrap")
    def _as_written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = write(self)
        return {name: said for name, said in content.items() if said is not None}

    @property
    def is_range(self) -> bool:
        """Whether it is a range of a fact, without an outcome of its own."""
        return self.outcome is None and self.when is None and self.code is None

    def allows(self, value: FactValue | None) -> bool:
        """Whether a subject with this value of the fact lies inside the range; what was not told never does."""
        low = self.at_least is not None and (not isinstance(value, int) or value < self.at_least)
        high = self.at_most is not None and (not isinstance(value, int) or value > self.at_most)
        return not (low or high)


class AuthorityLevel(DocumentPart):
    """Up to which yearly premium and sum insured (of all coverages) an underwriter of this level may accept."""

    level: Annotated[int, Strict(), Field(ge=1, le=LEVEL_MAX)]
    premium_minor: NonNegativeMinor | None = None
    sum_insured_minor: NonNegativeMinor | None = None

    def suffices(self, premium_minor: int, sum_insured_minor: int) -> bool:
        """Whether both sums, in minor units, lie within the level's limits."""
        return (self.premium_minor is None or premium_minor <= self.premium_minor) and (
            self.sum_insured_minor is None or sum_insured_minor <= self.sum_insured_minor
        )


class ReferralTerms(DocumentPart):
    """How referred applications are worked on.

    A referral should be answered within `answer_within_days`; a counter-offer stands for `offer_valid_days`.
    Without `authority` any underwriter may accept. `price_differences` says what becomes of an order whose
    premium lies outside the tolerance.
    """

    answer_within_days: Annotated[int, Strict(), Field(ge=1, le=365)] = 3
    offer_valid_days: Annotated[int, Strict(), Field(ge=1, le=365)] = 14
    authority: Annotated[tuple[AuthorityLevel, ...], Field(max_length=LEVEL_MAX)] = ()
    price_differences: Literal["decline", "refer"] = "decline"


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with an outcome, ready to be tried: `facts` are the names that its condition looks at."""

    rule: UnderwritingRule
    holds: Test
    facts: tuple[str, ...]
    of_application: bool


@dataclass(frozen=True, slots=True)
class CompiledUnderwriting:
    """The rules of a product version: ranges, and compiled rules with the facts of the application they need."""

    ranges: tuple[UnderwritingRule, ...]
    rules: tuple[CompiledRule, ...]
    application_facts: tuple[str, ...]

    @staticmethod
    def of(rules: tuple[UnderwritingRule, ...]) -> "CompiledUnderwriting":
        """The rules of a document that was found valid."""
        made = tuple(_compiled(rule) for rule in rules if not rule.is_range)
        return CompiledUnderwriting(
            ranges=tuple(rule for rule in rules if rule.is_range),
            rules=made,
            application_facts=tuple(sorted({fact for one in made for fact in one.facts if is_of_application(fact)})),
        )

    @property
    def asks_about_customer(self) -> bool:
        """Whether any rule looks at what else is known of the customer."""
        return any(fact.startswith("customer.") for fact in self.application_facts)

    @property
    def asks_about_channel(self) -> bool:
        """Whether any rule looks at what the channel has sold of the product before."""
        return any(fact.startswith("channel.") for fact in self.application_facts)


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule that fired: what it decides, why, for which part of the order, and the facts that it looked at."""

    code: str
    outcome: RuleOutcome
    reason_en: str
    reason_zh: str
    path: str
    facts: dict[str, FactValue]
    percent: str | None = None
    amount_minor: int | None = None
    coverages: tuple[str, ...] = ()


def fired_rules(
    underwriting: CompiledUnderwriting, subjects: tuple[Subject, ...], application: Facts
) -> list[FiredRule]:
    """Every rule that fires, in the document's order, and each time it does."""
    fired: list[FiredRule] = []
    for one in underwriting.rules:
        if one.of_application:
            if one.holds({}, application):
                fired.append(_fired(one, "", {}, application))
            continue
        fired += [
            _fired(one, subject.path, subject.facts, application)
            for subject in subjects
            if one.holds(subject.facts, application)
        ]
    return fired


def _compiled(rule: UnderwritingRule) -> CompiledRule:
    condition = rule.when
    facts = () if condition is None else tuple(sorted(condition.facts))
    return CompiledRule(
        rule=rule,
        holds=_always if condition is None else compiled(condition),
        facts=facts,
        of_application=all(is_of_application(fact) for fact in facts),
    )


def _always(subject: Facts, application: Facts) -> bool:  # noqa: ARG001
    return True


def _fired(one: CompiledRule, path: str, subject: Facts, application: Facts) -> FiredRule:
    rule = one.rule
    looked_at = {name: (application if is_of_application(name) else subject).get(name) for name in one.facts}
    return FiredRule(
        code=rule.code or "",
        outcome=rule.outcome or "refer",
        reason_en="" if rule.reason is None else rule.reason.en,
        reason_zh="" if rule.reason is None else rule.reason.zh,
        path=path,
        facts={name: value for name, value in looked_at.items() if value is not None},
        percent=None if rule.percent is None else rule.percent.text,
        amount_minor=rule.amount_minor,
        coverages=rule.coverages or (),
    )
