"""Faults of underwriting rules: unknown facts, wrong types, rules that never fire, each with path and advice."""

from typing import Any

import pytest

from services.quote.domain.products.reading import InvalidDocument, read_document
from tests.unit.quote.orders import VERSIONS
from tests.unit.quote.underwritten import AUTHORITY, HIGH_SUM, RANGE, RULES, WORDS, rule

AGED = {"fact": "age", "at_least": 50}


def faults(*rules: dict[str, Any], **changes: Any) -> dict[str, str]:
    """Path and sentence of each fault of a document with these rules."""
    content = VERSIONS["health-basic"].document.model_dump(mode="json")
    try:
        read_document({**content, "underwriting": list(rules), **changes})
    except InvalidDocument as error:
        return {fault.path: fault.message for fault in error.faults}
    return {}


def test_rules_of_every_outcome_are_good() -> None:
    assert faults(*RULES, referrals={"authority": AUTHORITY}) == {}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"when": {"fact": "hair", "equals": "red"}}, "when.fact", "its facts are age, age_days, gender, smoker"),
        ({"when": {"fact": "order.colour", "equals": "red"}}, "when.fact", "order.sum_insured_minor.<coverage>"),
        ({"when": {"fact": "order.bought.Dental", "equals": "yes"}}, "when.fact", "no fact of an application"),
        ({"when": {"fact": "gender", "at_least": 1}}, "when.at_least", "gender is no number"),
        ({"when": {"fact": "age", "equals": "old"}}, "when.equals", "age is a whole number"),
        ({"when": {"fact": "smoker", "one_of": ["yes", 1]}}, "when.one_of.1", "smoker is a text"),
        ({"when": {"fact": "age"}}, "when", "nothing is asked of age"),
        ({"when": {"any": [AGED, {"all": [{"fact": "hair", "told": True}]}]}}, "when.any.1.all.0.fact", "hair"),
        ({"when": {"not": AGED, "any": [AGED]}}, "when", "exactly one of all, any, not and fact"),
        ({"when": {"not": AGED, "at_least": 3}}, "when", "limits need the fact"),
        ({"when": {}}, "when", "exactly one of"),
        ({"code": None}, "code", "is required"),
        ({"outcome": None}, "outcome", "is required"),
        ({"reason": None}, "reason", "is required"),
        ({"reason": {"en": "why"}}, "reason.zh", "is required"),
        ({"outcome": "maybe"}, "outcome", "must be"),
        ({"at_least": 3}, "at_least", "move at_least there"),
        ({"outcome": "load"}, "", "either percent or amount_minor"),
        ({"outcome": "load", "percent": "5", "amount_minor": 1}, "", "either percent or amount_minor"),
        ({"percent": "5"}, "percent", "belongs to the outcome load"),
        ({"outcome": "exclude"}, "coverages", "needs the coverages"),
        ({"coverages": ["Inpatient"]}, "coverages", "whole application"),
        ({"outcome": "exclude", "coverages": ["Dental"]}, "coverages", "Dental is not in the plan"),
    ],
)
def test_what_does_not_fit_is_named_with_its_path(changes: dict[str, Any], path: str, words: str) -> None:
    found = faults({**rule("aged", AGED, "refer"), **changes})
    assert list(found) == [f"underwriting.0.{path}".removesuffix(".")]
    assert words in found[f"underwriting.0.{path}".removesuffix(".")]


def test_all_faults_are_told_at_once() -> None:
    wrong = [HIGH_SUM, {**HIGH_SUM, "when": {"fact": "hair", "told": True}}, {"fact": "gender", "at_most": 1}]
    assert set(faults(*wrong)) == {"underwriting.1.code", "underwriting.1.when.fact", "underwriting.2.fact"}


def test_a_range_is_as_it_always_was() -> None:
    assert faults(RANGE) == {}
    assert "exchange them" in faults({"fact": "age", "at_least": 66, "at_most": 65})["underwriting.0"]
    assert "no limit" in faults({"fact": "age"})["underwriting.0"]
    assert set(faults({**RANGE, "reason": WORDS})) == {"underwriting.0.reason"}


@pytest.mark.parametrize(
    "when",
    [
        {"fact": "age", "at_least": 60, "at_most": 59},
        {"all": [{"fact": "age", "at_least": 60}, {"fact": "age", "at_most": 40}]},
        {"all": [{"fact": "smoker", "equals": "yes"}, {"not": {"fact": "smoker", "one_of": ["yes", "no"]}}]},
        {"all": [{"fact": "age", "told": False}, AGED]},
        {"all": [AGED, {"not": AGED}]},
        {"any": [{"fact": "age", "at_least": 9, "at_most": 8}, {"fact": "age", "equals": 3, "at_least": 4}]},
    ],
)
def test_a_rule_whose_limits_contradict_each_other_can_never_fire(when: dict[str, Any]) -> None:
    found = faults(rule("never", when, "refer"))
    assert "can never fire" in found["underwriting.0.when"]


@pytest.mark.parametrize(
    "rules",
    [
        # The range declines from 66 on.
        (RANGE, rule("old", {"fact": "age", "at_least": 66}, "refer")),
        # A decline decides wherever it stands.
        (rule("narrow", {"fact": "age", "at_least": 60}, "load", percent="5"), rule("wide", AGED, "decline")),
        # Of two that decide alike the first does.
        (rule("wide", AGED, "refer"), rule("narrow", {"fact": "age", "equals": 55}, "refer")),
        # Two rules together may leave nothing over.
        (
            rule("women", {"fact": "gender", "equals": "F"}, "decline"),
            rule("men", {"not": {"fact": "gender", "equals": "F"}}, "decline"),
            rule(
                "either", {"any": [{"fact": "gender", "one_of": ["F"]}, {"fact": "gender", "one_of": ["M"]}]}, "refer"
            ),
        ),
        (rule("always", None, "decline"), rule("aged", AGED, "accept")),
    ],
)
def test_a_rule_that_others_always_decide_before_is_named(rules: tuple[dict[str, Any], ...]) -> None:
    (path,) = (path for path, words in faults(*rules).items() if "never decides" in words)
    place = next(i for i, one in enumerate(rules) if one.get("code") in ("old", "narrow", "either", "aged"))
    assert path == f"underwriting.{place}.when"


@pytest.mark.parametrize(
    "rules",
    [
        (RANGE, rule("old", {"fact": "age", "at_least": 65}, "refer")),
        (rule("narrow", {"fact": "age", "equals": 55}, "refer"), rule("wide", AGED, "refer")),
        (rule("wide", AGED, "load", percent="5"), rule("narrow", {"fact": "age", "equals": 55}, "load", percent="9")),
        (rule("weak", AGED, "accept"), rule("strong", {"fact": "age", "equals": 55}, "refer")),
        (
            rule("smoker", {"fact": "smoker", "equals": "yes"}, "decline"),
            rule("untold", {"not": {"fact": "smoker", "equals": "no"}}, "refer"),
        ),
    ],
)
def test_a_rule_that_still_has_something_to_say_stays(rules: tuple[dict[str, Any], ...]) -> None:
    assert faults(*rules) == {}


def test_levels_of_authority_rise() -> None:
    levels = [{"level": 2, "premium_minor": 500}, {"level": 2}, {"level": 3, "premium_minor": 400}]
    found = faults(referrals={"authority": levels})
    assert set(found) == {"referrals.authority.1.level", "referrals.authority.2"}
