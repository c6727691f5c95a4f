"""The base of everything in a product document: frozen, and strict about names that it does not know."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from contracts.vocabulary.faults import Fault, FaultCode

# Control characters are kept out: PostgreSQL stores no NUL in text, and a title needs none of them.
PlainText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
LongText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
FactName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]


class DocumentPart(BaseModel):
    """A part of a product document; a name that we do not know is a mistake of the author."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Title(DocumentPart):
    """A name in the languages of the console."""

    en: PlainText
    zh: PlainText


class Wording(DocumentPart):
    """A text for the buyer in the languages of the console."""

    en: LongText
    zh: LongText


def misfit(path: str, message: str) -> Fault:
    """A part of a document that is well-formed and still cannot be."""
    return Fault(code=FaultCode.INVALID_FIELD, path=path, message=message)
