"""What is said of persons in all lines: age, gender, relation, and answers to a product's questions."""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, StringConstraints, TypeAdapter, WithJsonSchema

from contracts.vocabulary.model import ShortText

DISCLOSURES_MAX = 100
_ANSWER_NUMBER_MAX = 10**9

AgeYears = Annotated[int, Field(ge=0, le=130)]
Gender = Literal["F", "M"]
Relation = Literal["self", "spouse", "child", "parent"]
"""What an insured person is to the policyholder; in a group, to the employee."""

DisclosureCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,27}$")]

_SHORT_TEXT: TypeAdapter[str] = TypeAdapter(ShortText)


def _answer(value: object) -> bool | int | str:
    # One sentence for all kinds: which of them a question wants, only the product's document knows.
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _ANSWER_NUMBER_MAX):
        return value
    if isinstance(value, str):
        return _SHORT_TEXT.validate_python(value)
    raise ValueError("it must be true, false, a whole number or a text")


Answer = Annotated[
    bool | int | str,
    PlainValidator(_answer),
    WithJsonSchema({"type": ["boolean", "integer", "string"], "maxLength": 100}),
]
Disclosures = Annotated[dict[DisclosureCode, Answer], Field(max_length=DISCLOSURES_MAX)]
"""Answers to the questions of a product's document, by the question's code."""
