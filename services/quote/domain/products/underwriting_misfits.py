"""What does not fit in the underwriting part of a document: unknown facts, wrong types, rules that never fire."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contracts.vocabulary.faults import Fault, FaultCode
from services.quote.domain.products.conditions import Condition, is_of_application
from services.quote.domain.products.reachability import Box, boxes_of, covered
from services.quote.domain.products.rules import Fact
from services.quote.domain.products.underwriting import STRENGTH, AuthorityLevel, ReferralTerms, UnderwritingRule

APPLICATION_FACTS: Mapping[str, bool] = {
    "order.premium_minor": True,
    "order.sum_insured_minor": True,
    "order.insureds": True,
    "order.coverages": True,
    "order.days_to_cover": True,
    "order.channel": False,
    "order.frequency": False,
    "order.campaign": False,
    "customer.blacklisted": False,
    "customer.contracts": True,
    "customer.same_product": True,
    "customer.premium_minor": True,
    "customer.sum_insured_minor": True,
    "channel.orders": True,
    "channel.premium_minor": True,
    "channel.sum_insured_minor": True,
    "channel.orders_today": True,
    "channel.premium_today_minor": True,
    "channel.sum_insured_today_minor": True,
}
"""Facts of the application as a whole, and whether each is a number."""

COVERAGE_FACTS: Mapping[str, bool] = {
    "order.bought": False,
    "order.premium_minor": True,
    "order.sum_insured_minor": True,
    "customer.sum_insured_minor": True,
}
"""Facts of the application that a coverage code of the plan may follow."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The facts that a document's rules may look at."""

    subject: Mapping[str, Fact]
    plan: frozenset[str]

    def numeric(self, name: str) -> bool | None:
        """Whether the fact is a number; None where there is no such fact."""
        if not is_of_application(name):
            known = self.subject.get(name)
            return None if known is None else known.numeric
        if name in APPLICATION_FACTS:
            return APPLICATION_FACTS[name]
        stem, _, code = name.rpartition(".")
        return COVERAGE_FACTS.get(stem) if code in self.plan else None


def underwriting_misfits(
    rules: Sequence[UnderwritingRule], facts: Mapping[str, Fact], plan: frozenset[str]
) -> Iterator[Fault]:
    """All faults of the rules, each with its path; `plan` holds the coverages' codes."""
    known = _Known(facts, plan)
    codes: set[str] = set()
    for place, rule in enumerate(rules):
        path = f"underwriting.{place}"
        if rule.is_range:
            yield from _range_misfits(path, rule, known)
            continue
        if rule.code is not None and rule.code in codes:
            yield _fault(f"{path}.code", f"the code {rule.code} is used by a rule before; give each rule its own")
        codes.add(rule.code or "")
        yield from _rule_misfits(path, rule, known)
    yield from _idle_rules(rules, known)


def referral_misfits(terms: ReferralTerms) -> Iterator[Fault]:
    """Faults of the levels of authority: each level once, and none that may do less than the one below."""
    before: AuthorityLevel | None = None
    for place, level in enumerate(terms.authority):
        path = f"referrals.authority.{place}"
        if before is not None and level.level <= before.level:
            yield _fault(f"{path}.level", "levels must rise from entry to entry, each given once")
        if before is not None and _less(level, before):
            yield _fault(path, "a higher level must not have a lower limit than the level before it")
        before = level


def _less(level: AuthorityLevel, before: AuthorityLevel) -> bool:
    pairs = ((level.premium_minor, before.premium_minor), (level.sum_insured_minor, before.sum_insured_minor))
    return any(mine is not None and (other is None or mine < other) for mine, other in pairs)


def _range_misfits(path: str, rule: UnderwritingRule, known: _Known) -> Iterator[Fault]:
    if rule.fact is None:
        message = "the rule says nothing; give a fact with limits, or code, outcome and reason"
        yield _fault(path, message)
        return
    if (numeric := known.numeric(rule.fact)) is None:
        yield _unknown_fact(f"{path}.fact", rule.fact, known)
    elif not numeric:
        yield _fault(f"{path}.fact", f"{rule.fact} is no number; use it in a condition with equals or one_of")
    if rule.at_least is None and rule.at_most is None:
        yield _fault(path, "the rule has no limit; give at_least, at_most or both")
    elif rule.at_least is not None and rule.at_most is not None and rule.at_most < rule.at_least:
        yield _fault(path, "at_most lies below at_least, so every order would be declined; exchange them")
    for name in ("percent", "amount_minor", "coverages", "reason"):
        if getattr(rule, name) is not None:
            yield _fault(f"{path}.{name}", f"{name} belongs to a rule with an outcome; remove it or give outcome")


def _rule_misfits(path: str, rule: UnderwritingRule, known: _Known) -> Iterator[Fault]:
    for name in ("code", "outcome", "reason"):
        if getattr(rule, name) is None:
            message = f"{path}.{name} is required in a rule with an outcome; add it"
            yield Fault(code=FaultCode.MISSING_FIELD, path=f"{path}.{name}", message=message)
    for name in ("fact", "at_least", "at_most"):
        if getattr(rule, name) is not None:
            yield _fault(f"{path}.{name}", f"a rule with an outcome has its limits in `when`; move {name} there")
    yield from _outcome_misfits(path, rule)
    for code in sorted(set(rule.coverages or ()) - known.plan):
        yield _fault(f"{path}.coverages", f"coverage {code} is not in the plan")
    if rule.when is not None:
        yield from _condition_misfits(f"{path}.when", rule.when, known)


def _outcome_misfits(path: str, rule: UnderwritingRule) -> Iterator[Fault]:
    if rule.outcome == "load":
        if (rule.percent is None) == (rule.amount_minor is None):
            yield _fault(path, "a loading needs either percent or amount_minor")
    else:
        for name in ("percent", "amount_minor"):
            if getattr(rule, name) is not None:
                yield _fault(f"{path}.{name}", f"{name} belongs to the outcome load; remove it")
    if rule.outcome == "exclude" and not rule.coverages:
        yield _fault(f"{path}.coverages", "an exclusion needs the coverages that it takes out")
    if rule.outcome in ("accept", "refer", "decline") and rule.coverages is not None:
        yield _fault(f"{path}.coverages", f"{rule.outcome} is for the whole application; remove coverages")


def _condition_misfits(path: str, condition: Condition, known: _Known) -> Iterator[Fault]:
    kinds = [name for name in ("all", "any", "not") if any(part.startswith(name) for part, _ in condition.parts)]
    limited = any(getattr(condition, name) is not None for name in _LIMITS)
    if len(kinds) + (condition.fact is not None) != 1:
        yield _fault(path, "a condition has exactly one of all, any, not and fact")
    elif condition.fact is None and limited:
        yield _fault(path, "limits need the fact that they are for; add fact")
    elif condition.fact is not None:
        yield from _comparison_misfits(path, condition, known, limited=limited)
    for inner, part in condition.parts:
        yield from _condition_misfits(f"{path}.{inner}", part, known)


_LIMITS = ("at_least", "at_most", "equals", "one_of", "told")


def _comparison_misfits(path: str, condition: Condition, known: _Known, *, limited: bool) -> Iterator[Fault]:
    name = condition.fact or ""
    numeric = known.numeric(name)
    if numeric is None:
        yield _unknown_fact(f"{path}.fact", name, known)
        return
    if not limited:
        yield _fault(path, f"nothing is asked of {name}; give {', '.join(_LIMITS[:-1])} or told")
    if not numeric:
        for limit in ("at_least", "at_most"):
            if getattr(condition, limit) is not None:
                yield _fault(f"{path}.{limit}", f"{name} is no number; compare it with equals or one_of")
    wanted, kind = (int, "a whole number") if numeric else (str, "a text in quotes")
    if condition.equals is not None and not isinstance(condition.equals, wanted):
        yield _fault(f"{path}.equals", f"{name} is {kind}; compare it with one")
    for place, value in enumerate(condition.one_of or ()):
        if not isinstance(value, wanted):
            yield _fault(f"{path}.one_of.{place}", f"{name} is {kind}; compare it with one")


def _idle_rules(rules: Sequence[UnderwritingRule], known: _Known) -> Iterator[Fault]:
    regions = [_region(rule, known) for rule in rules]
    for place, rule in enumerate(rules):
        boxes = regions[place]
        if rule.is_range or boxes is None:
            continue
        path = f"underwriting.{place}"
        if not boxes:
            yield _fault(f"{path}.when", "the rule can never fire: its limits contradict each other")
            continue
        deciding = [other for other in range(len(rules)) if _decides_before(other, place, rules)]
        if all(any(covered(box, regions[other] or ()) for other in deciding) for box in boxes):
            named = [other for other in deciding if any(covered(box, regions[other] or ()) for box in boxes)]
            others = ", ".join(f"underwriting.{other} ({_decision(rules[other])})" for other in named)
            yield _fault(f"{path}.when", f"the rule never decides anything: wherever it fires, so does {others}")


def _decides_before(other: int, place: int, rules: Sequence[UnderwritingRule]) -> bool:
    strength, mine = _strength(rules[other]), _strength(rules[place])
    alike = strength == mine and rules[place].outcome not in ("load", "exclude")
    return other != place and (strength > mine or (alike and other < place))


def _strength(rule: UnderwritingRule) -> int:
    return STRENGTH["decline" if rule.is_range else rule.outcome or "refer"]


def _decision(rule: UnderwritingRule) -> str:
    return f"range of {rule.fact}" if rule.is_range else f"{rule.code}, {rule.outcome}"


def _region(rule: UnderwritingRule, known: _Known) -> list[Box] | None:
    """Where the rule fires: None where that cannot be told, as long as it has other faults for instance."""
    if rule.is_range:
        if rule.fact is None or known.numeric(rule.fact) is None or rule.at_least is rule.at_most is None:
            return None
        inside = Condition(fact=rule.fact, at_least=rule.at_least, at_most=rule.at_most)
        return boxes_of(Condition.model_validate({"not": inside}), frozenset((rule.fact,)))
    if rule.when is None:
        return [{}]
    if any(_condition_misfits("", rule.when, known)):
        return None
    return boxes_of(rule.when, frozenset(name for name in rule.when.facts if known.numeric(name)))


def _unknown_fact(path: str, name: str, known: _Known) -> Fault:
    if is_of_application(name):
        offered = (*APPLICATION_FACTS, *(f"{stem}.<coverage>" for stem in COVERAGE_FACTS))
        return _fault(path, f"{name} is no fact of an application; its facts are {', '.join(offered)}")
    return _fault(path, f"{name} is no fact of this line; its facts are {', '.join(known.subject)}")


def _fault(path: str, message: str) -> Fault:
    return Fault(code=FaultCode.INVALID_FIELD, path=path, message=message)
