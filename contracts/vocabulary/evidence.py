"""How a contract was sold (可回溯): the page versions that the buyer saw, what was acknowledged, and when."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from contracts.vocabulary.model import ChannelModel, ShortText
from contracts.vocabulary.time import Instant

PAGES_MAX = 50
DISCLOSURES_MAX = 50
CONSENTS_MAX = 20

EvidenceCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# The path only: a query may hold what a buyer typed.
PagePath = Annotated[str, StringConstraints(pattern=r"^/[!-~]{0,199}$")]


class PageAction(StrEnum):
    """What the buyer did on a page."""

    OPENED = "opened"
    READ_TO_END = "read-to-end"
    SUBMITTED = "submitted"


class PageSeen(ChannelModel):
    """A version of a page that the buyer saw; `sha256` is of its content, so that the kept page can be proved."""

    page_id: EvidenceCode
    version: EvidenceCode
    sha256: Sha256
    seen_at: Instant
    action: PageAction = PageAction.OPENED


class DisclosureAcknowledged(ChannelModel):
    """A disclosure that the buyer said to have taken note of, such as the exclusions of a wording."""

    code: EvidenceCode
    version: EvidenceCode
    acknowledged_at: Instant


class ConsentStated(ChannelModel):
    """The buyer's yes (`given`) or no to a purpose, such as the use of personal data."""

    purpose: EvidenceCode
    version: EvidenceCode
    given: bool
    stated_at: Instant


class SaleEvidence(ChannelModel):
    """The trail of one sale, as the channel recorded it. `source` and `page_path` say what led the buyer here."""

    source: ShortText | None = None
    page_path: PagePath | None = None
    pages: Annotated[tuple[PageSeen, ...], Field(max_length=PAGES_MAX)] = ()
    disclosures: Annotated[tuple[DisclosureAcknowledged, ...], Field(max_length=DISCLOSURES_MAX)] = ()
    consents: Annotated[tuple[ConsentStated, ...], Field(max_length=CONSENTS_MAX)] = ()

    def moments(self) -> list[tuple[tuple[str | int, ...], Instant]]:
        """Every time in it with the path of its field."""
        return [
            *((("pages", place, "seen_at"), page.seen_at) for place, page in enumerate(self.pages)),
            *(
                (("disclosures", place, "acknowledged_at"), disclosure.acknowledged_at)
                for place, disclosure in enumerate(self.disclosures)
            ),
            *((("consents", place, "stated_at"), consent.stated_at) for place, consent in enumerate(self.consents)),
        ]
