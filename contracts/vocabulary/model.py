"""Base models of the contracts: what we own is open to new fields, what channels send is not."""

import unicodedata
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


def _printable(text: str) -> str:
    # PostgreSQL cannot keep NUL, and a line break would forge lines in a log.
    if any(unicodedata.category(symbol) == "Cc" for symbol in text):
        raise ValueError("it holds a control character; remove it")
    return text


ShortText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_printable)
]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), AfterValidator(_printable)
]


class ContractModel(BaseModel):
    """Frozen; unknown fields are ignored, so that a newer producer does not stop an older consumer."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class ChannelModel(BaseModel):
    """Frozen and strict: a field that we do not know is a mistake of the sender, and is reported."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PublicEvent(ContractModel):
    """A fact that one service tells the others. Its name on the wire never changes.

    `event_type` is the CloudEvents type; `schema_version` rises when the meaning or shape changes
    in a way that an older consumer could not read (see contracts/README.md).
    """

    event_type: ClassVar[str]
    schema_version: ClassVar[int] = 1
