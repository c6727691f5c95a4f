"""What is true of a stream of quote: a product's versions, an application, or a refused message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from services.quote.domain.events import MessageRefused, OrderConflicted, Outcome
from services.quote.domain.order import Order
from services.quote.domain.products.life import Life

_NEW = Life()
_NONE: Mapping[str, OrderConflicted] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NothingYet:
    """The stream is empty."""


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
class Application:
    """The first order under its number, the latest outcome, and later orders that tried to reuse the number."""

    order: Order
    outcome: Outcome | None = None
    conflicts: Mapping[str, OrderConflicted] = field(default_factory=lambda: _NONE)


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that was refused, and how."""

    refusal: MessageRefused


QuoteState: TypeAlias = NothingYet | Product | Application | Refused
