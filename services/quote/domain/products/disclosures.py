"""What the buyer is asked before the contract is made, and how the answers become facts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.persons import Answer, DisclosureCode
from services.quote.domain.products.part import DocumentPart, PlainText, Wording, misfit
from services.quote.domain.products.rules import Fact, FactValue, Subject

FACT_PREFIX = "disclosure_"


class DisclosureQuestion(DocumentPart):
    """A question of the declaration: of every insured person, or of the policyholder once for the order."""

    code: DisclosureCode
    text: Wording
    asked_of: Literal["person", "order"] = "person"
    answer: Literal["yes-no", "number", "text", "choice"] = "yes-no"
    choices: Annotated[tuple[PlainText, ...], Field(max_length=50)] = ()

    def takes(self, answer: Answer) -> bool:
        """Whether this is an answer to the question at all."""
        match self.answer:
            case "yes-no":
                return isinstance(answer, bool)
            case "number":
                return isinstance(answer, int) and not isinstance(answer, bool)
            case "text":
                return isinstance(answer, str)
            case "choice":
                return answer in self.choices

    def wanted(self) -> str:
        """What an answer looks like, in words."""
        match self.answer:
            case "yes-no":
                return "true or false"
            case "number":
                return "a whole number"
            case "text":
                return "a text"
            case "choice":
                return f"one of {', '.join(self.choices)}"


def disclosure_facts(questions: Sequence[DisclosureQuestion]) -> dict[str, Fact]:
    """The facts that tariffs and underwriting may build on because these questions are asked."""
    return {
        FACT_PREFIX + question.code: Fact(
            f"disclosures.{question.code}",
            numeric=question.answer == "number",
            values=("yes", "no") if question.answer == "yes-no" else question.choices,
        )
        for question in questions
    }


def declared(subjects: tuple[Subject, ...], of_order: Mapping[str, Answer] | None) -> tuple[Subject, ...]:
    """The subjects with every answer as a fact: `disclosure_<code>`, yes and no as text."""
    if not of_order and not any(subject.answers for subject in subjects):
        return subjects
    shared = _facts(of_order or {})
    return tuple(
        replace(subject, facts={**subject.facts, **shared, **_facts(subject.answers or {})}) for subject in subjects
    )


def _facts(answers: Mapping[str, Answer]) -> dict[str, FactValue]:
    return {FACT_PREFIX + code: _fact(answer) for code, answer in answers.items()}


def _fact(answer: Answer) -> FactValue:
    return ("yes" if answer else "no") if isinstance(answer, bool) else answer


def disclosure_faults(
    questions: Sequence[DisclosureQuestion], subjects: Sequence[Subject], of_order: Mapping[str, Answer] | None
) -> Iterator[Fault]:
    """Every question that is not answered, answered as it cannot be, or was never asked."""
    asked = {question.code: question for question in questions if question.asked_of == "order"}
    yield from _answer_faults("disclosures", asked, of_order or {})
    asked = {question.code: question for question in questions if question.asked_of == "person"}
    for subject in subjects:
        if subject.answers is not None:
            yield from _answer_faults(f"{subject.path}.disclosures", asked, subject.answers)


def _answer_faults(
    path: str, asked: Mapping[str, DisclosureQuestion], answers: Mapping[str, Answer]
) -> Iterator[Fault]:
    for code, question in asked.items():
        answer = answers.get(code)
        if answer is None:
            message = f"the question {code} ({question.text.en}) is not answered; answer {question.wanted()}"
            yield Fault(code=FaultCode.DISCLOSURE_UNANSWERED, path=f"{path}.{code}", message=message)
        elif not question.takes(answer):
            message = f"the question {code} is answered by {question.wanted()}"
            yield Fault(code=FaultCode.INVALID_FIELD, path=f"{path}.{code}", message=message)
    for code in answers.keys() - asked.keys():
        message = f"the product does not ask {code} here; remove the answer"
        yield Fault(code=FaultCode.UNKNOWN_FIELD, path=f"{path}.{code}", message=message)


def disclosure_misfits(questions: Sequence[DisclosureQuestion], *, asks_persons: bool) -> Iterator[Fault]:
    """Questions of a document that cannot be asked so; `asks_persons` says whether the line's insureds answer."""
    seen: set[str] = set()
    for place, question in enumerate(questions):
        path = f"disclosures.{place}"
        if question.code in seen:
            yield misfit(f"{path}.code", f"question {question.code} is asked twice; keep one")
        seen.add(question.code)
        if question.answer == "choice" and len(set(question.choices)) < 2:
            yield misfit(f"{path}.choices", "a question of kind choice needs at least two different choices")
        if question.answer != "choice" and question.choices:
            yield misfit(f"{path}.choices", f"a question answered by {question.wanted()} has no choices; remove them")
        if question.asked_of == "person" and not asks_persons:
            message = "no person answers questions in an order of this line; ask the policyholder (asked_of: order)"
            yield misfit(f"{path}.asked_of", message)
