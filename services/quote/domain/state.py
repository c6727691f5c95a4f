"""What is true of a stream of quote: a product's versions, an application, or a refused message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from services.quote.domain.answers.events import AnswerReceived, AnswerRefused, ReleaseRequested
from services.quote.domain.events import MessageRefused, OrderConflicted, Outcome
from services.quote.domain.order import Order
from services.quote.domain.products.life import Life
from services.quote.domain.underwriting.events import ApplicationReferred, CounterOffered, InformationRequested

_NEW = Life()
Answers: TypeAlias = Mapping[str, AnswerReceived | AnswerRefused]
"""What became of channels' messages about an order, by the digest of their content."""

_UNANSWERED: Answers = MappingProxyType({})
_NONE: Mapping[str, OrderConflicted] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NothingYet:
    """The stream is empty, but for `answers` that came before the order that they speak of, and were refused."""

    answers: Answers = field(default_factory=lambda: _UNANSWERED)


@dataclass(frozen=True, slots=True)
class CataloguedVersion:
    """A version's document as canonical text, who wrote any draft of it, and the steps it has taken."""

    document: str
    authors: frozenset[str] = frozenset()
    life: Life = _NEW


@dataclass(frozen=True, slots=True)
class Product:
    """The versions of a product by number."""

    versions: Mapping[int, CataloguedVersion]


@dataclass(frozen=True, slots=True)
class Referral:
    """What a person knows who decides: what was referred, the standing offer, question and notes."""

    referred: ApplicationReferred | None = None
    offer: CounterOffered | None = None
    offer_taken: bool = False
    underwriter: str | None = None
    question: InformationRequested | None = None
    answers: tuple[str, ...] = ()
    notes: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Application:
    """The first order under its number, the latest outcome, and later orders that tried to reuse the number.

    `referral` is what a person has to do with it, and None where nobody had. `release` is there once policy was
    asked not to issue it any more.
    """

    order: Order
    outcome: Outcome | None = None
    conflicts: Mapping[str, OrderConflicted] = field(default_factory=lambda: _NONE)
    referral: Referral | None = None
    release: ReleaseRequested | None = None
    answers: Answers = field(default_factory=lambda: _UNANSWERED)


@dataclass(frozen=True, slots=True)
class Blacklisted:
    """Whether a person is on the blacklist now, having been on it once, and why."""

    listed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Underwriter:
    """An underwriter's level of authority; 0 once dismissed."""

    level: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that was refused, and how."""

    refusal: MessageRefused


QuoteState: TypeAlias = NothingYet | Product | Application | Refused | Blacklisted | Underwriter
