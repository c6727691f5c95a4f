"""What a document says beyond cover and price: who carries the risk together, and the papers it stands on."""

from typing import Annotated, Literal

from pydantic import Field, Strict, StringConstraints

from contracts.vocabulary.money import BASIS_POINTS
from contracts.vocabulary.products import COINSURERS_MAX, Coinsurance, CoinsuranceShare
from contracts.vocabulary.wording import WordingCode, WordingReference
from services.quote.domain.products.part import DocumentPart, PlainText

ContentHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""sha256 of a file's bytes in hexadecimal, as `sha256sum` prints it."""


class Coinsurer(DocumentPart):
    """An insurer and its share in basis points."""

    insurer: Annotated[PlainText, StringConstraints(max_length=100)]
    share_bp: Annotated[int, Strict(), Field(gt=0, lt=BASIS_POINTS)]


class Coinsured(DocumentPart):
    """The insurers that carry every contract of the product together; their shares add up to 10,000.

    `issuance_fee_bp` of each follower's premium goes to the leader, apart from the premium.
    """

    leader: Coinsurer
    followers: Annotated[tuple[Coinsurer, ...], Field(min_length=1, max_length=COINSURERS_MAX - 1)]
    issuance_fee_bp: Annotated[int, Strict(), Field(ge=0, le=BASIS_POINTS)] = 0

    def terms(self) -> Coinsurance:
        """The same, as the terms of a contract carry it."""
        leader, *followers = (
            CoinsuranceShare(insurer=one.insurer, share_bp=one.share_bp) for one in (self.leader, *self.followers)
        )
        return Coinsurance(leader=leader, followers=tuple(followers), issuance_fee_bp=self.issuance_fee_bp)


class Wording(DocumentPart):
    """The policy wording: its version, the number it was filed under with the regulator, and its content's hash.

    `code` names the wording where several products share it; without one it is the product's own, under its code.
    """

    version: PlainText
    filing_number: PlainText
    content_sha256: ContentHash
    code: WordingCode | None = None

    def reference(self, product_code: str) -> WordingReference:
        """The same, as the terms of a contract keep it."""
        return WordingReference(
            code=self.code or product_code,
            version=self.version,
            filing_number=self.filing_number,
            content_sha256=self.content_sha256,
        )


class Requirement(DocumentPart):
    """The requirement document that was reviewed, and the path to launch that it asks for.

    `full`, for a new product, goes through the sandbox before it is sold; `short`, for a variant, need not.
    """

    reference: PlainText
    content_sha256: ContentHash
    path: Literal["full", "short"] = "full"
