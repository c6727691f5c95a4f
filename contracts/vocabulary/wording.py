"""The policy wording that holds for a contract, by reference: the text itself lies with insurer and supervisor."""

from typing import Annotated

from pydantic import StringConstraints

from contracts.vocabulary.model import ContractModel

WordingCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
WordingText = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class WordingReference(ContractModel):
    """Which wording holds for a term: its code and version, the number it was filed under, and its content's hash.

    `content_sha256` is that of the file's bytes in hexadecimal, so that anybody can tell whether a text is the one.
    """

    code: WordingCode
    version: WordingText
    filing_number: WordingText
    content_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
