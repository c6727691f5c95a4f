"""Conditions: every comparison at its bounds, their combinations, and what was not told."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from services.quote.domain.products.conditions import Condition, Facts, compiled
from services.quote.domain.products.reachability import BOXES_MAX, boxes_of, covered

SUBJECT: Facts = {"age": 40, "smoker": "yes"}
APPLICATION: Facts = {"order.insureds": 2, "order.channel": "shop"}
NUMBERS = frozenset(("age", "order.insureds"))


def holds(condition: dict[str, Any], **told: Any) -> bool:
    return compiled(Condition.model_validate(condition))({**SUBJECT, **told}, APPLICATION)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"fact": "age", "at_least": 40}, True),
        ({"fact": "age", "at_least": 41}, False),
        ({"fact": "age", "at_most": 40}, True),
        ({"fact": "age", "at_most": 39}, False),
        ({"fact": "age", "at_least": 40, "at_most": 40}, True),
        ({"fact": "age", "at_least": 30, "at_most": 39}, False),
        ({"fact": "age", "equals": 40}, True),
        ({"fact": "age", "one_of": [39, 41]}, False),
        ({"fact": "smoker", "equals": "yes"}, True),
        ({"fact": "smoker", "one_of": ["no", "never"]}, False),
        ({"fact": "order.channel", "equals": "shop"}, True),
        ({"fact": "order.insureds", "at_least": 3}, False),
        ({"fact": "age", "told": True}, True),
        ({"fact": "job", "told": False}, True),
        ({"fact": "job", "told": True}, False),
        ({"fact": "job", "at_least": 0}, False),
        ({"fact": "job", "one_of": ["miner"]}, False),
        ({"not": {"fact": "job", "equals": "miner"}}, True),
        ({"not": {"fact": "age", "at_least": 40}}, False),
        ({"all": [{"fact": "age", "at_least": 40}, {"fact": "smoker", "equals": "yes"}]}, True),
        ({"all": [{"fact": "age", "at_least": 40}, {"fact": "smoker", "equals": "no"}]}, False),
        ({"any": [{"fact": "age", "at_least": 90}, {"fact": "smoker", "equals": "yes"}]}, True),
        ({"any": [{"fact": "age", "at_least": 90}, {"fact": "smoker", "equals": "no"}]}, False),
        ({"not": {"any": [{"fact": "age", "at_least": 90}, {"fact": "order.insureds", "equals": 2}]}}, False),
        (
            {"all": [{"fact": "age", "at_least": 1}, {"fact": "age", "at_most": 99}, {"fact": "job", "told": True}]},
            False,
        ),
    ],
)
def test_a_condition_holds_or_not_and_its_boxes_agree(condition: dict[str, Any], expected: bool) -> None:
    assert holds(condition) is expected
    boxes = boxes_of(Condition.model_validate(condition), NUMBERS)
    assert boxes is not None
    point: dict[str, Any] = {
        "all": [{"fact": name, "equals": value} for name, value in {**SUBJECT, **APPLICATION}.items()]
    }
    point["all"].append({"fact": "job", "told": False})
    here = boxes_of(Condition.model_validate(point), NUMBERS)
    assert here is not None
    assert [covered(box, boxes) for box in here] == [expected]


def test_a_condition_is_written_as_it_was_read() -> None:
    written = {"not": {"any": [{"fact": "age", "at_least": 3}, {"all": [{"fact": "smoker", "one_of": ["a", "b"]}]}]}}
    read = Condition.model_validate(written)
    assert read.model_dump(mode="json") == written
    assert Condition.model_validate(json.loads(read.model_dump_json())) == read


def test_a_number_in_quotes_and_a_bare_yes_are_no_values() -> None:
    for wrong in ({"fact": "age", "at_least": "40"}, {"fact": "smoker", "equals": True}, {"fact": "age", "told": "no"}):
        with pytest.raises(ValidationError):
            Condition.model_validate(wrong)


def test_a_condition_of_too_many_alternatives_is_not_judged() -> None:
    ages = {"fact": "age", "one_of": list(range(17))}
    both = {"all": [ages, {"fact": "order.insureds", "one_of": list(range(BOXES_MAX // 17 + 1))}]}
    assert boxes_of(Condition.model_validate(both), NUMBERS) is None
