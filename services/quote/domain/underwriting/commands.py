"""What underwriters, customers and operators can tell quote to do. Days are given, since rules read no clock."""

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from services.quote.domain.products.document import ProductDocument
from services.quote.domain.underwriting.offers import Alteration


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignReferral:
    """Give a referred application to an underwriter."""

    order_no: str
    underwriter: str
    assigned_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteReferral:
    """Put a note into the file."""

    order_no: str
    noted_by: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInformation:
    """Ask the channel a question, to be answered up to and including `until`."""

    order_no: str
    requested_by: str
    question: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvideInformation:
    """Answer the open question."""

    order_no: str
    provided_by: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReferral:
    """Accept as ordered, on a day. `level` is the authority of who accepts, 0 for none."""

    order_no: str
    accepted_by: str
    level: int
    reason: str
    accepted_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineReferral:
    """Take no risk; the channel reads the reason."""

    order_no: str
    declined_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeCounterOffer:
    """Offer other terms from a day on.

    `premiums` (coverage and premium in minor units) replace the tariff's, `alterations` are loadings, `excluded`
    coverages are left out; `product` is the document that the order is sold under, which prices all of it anew.
    """

    order_no: str
    offered_by: str
    level: int
    reason: str
    alterations: tuple[Alteration, ...]
    excluded: tuple[str, ...]
    premiums: tuple[tuple[str, int], ...]
    offered_on: date
    product: ProductDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeCounterOffer:
    """The customer takes the other terms, on a day."""

    order_no: str
    taken_by: str
    taken_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseCounterOffer:
    """The customer does not take the other terms."""

    order_no: str
    refused_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawApplication:
    """The customer does not want the cover any more."""

    order_no: str
    withdrawn_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireApplication:
    """End an application whose counter-offer or question nobody answered, or that nobody paid, in time."""

    order_no: str
    expired_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AddBlacklistEntry:
    """Insure a person no longer; `subject` is a digest, so that no log holds a number or a name."""

    kind: str
    subject: str
    reason: str
    added_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveBlacklistEntry:
    """Insure a person again."""

    kind: str
    subject: str
    reason: str
    removed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointUnderwriter:
    """Let somebody decide on referrals up to a level."""

    underwriter: str
    level: int
    reason: str
    appointed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissUnderwriter:
    """Let somebody decide no longer."""

    underwriter: str
    reason: str
    dismissed_by: str


ReferralCommand: TypeAlias = (
    AssignReferral
    | NoteReferral
    | RequestInformation
    | ProvideInformation
    | AcceptReferral
    | DeclineReferral
    | MakeCounterOffer
    | TakeCounterOffer
    | RefuseCounterOffer
    | WithdrawApplication
    | ExpireApplication
)
REFERRAL_COMMANDS = (
    AssignReferral,
    NoteReferral,
    RequestInformation,
    ProvideInformation,
    AcceptReferral,
    DeclineReferral,
    MakeCounterOffer,
    TakeCounterOffer,
    RefuseCounterOffer,
    WithdrawApplication,
    ExpireApplication,
)
BlacklistCommand: TypeAlias = AddBlacklistEntry | RemoveBlacklistEntry
RosterCommand: TypeAlias = AppointUnderwriter | DismissUnderwriter
