"""The life of a product version: draft, approved, sandbox, on sale, closed to new business, withdrawn, by day."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from contracts.vocabulary.identifiers import channel_behind, is_sandbox
from services.quote.domain.products.effect import Effect
from services.quote.domain.products.outlets import OutletStep

__all__ = ["Effect", "Life", "SaleWindow", "SandboxWindow", "Stage"]


class Stage(StrEnum):
    """Where a version stands. It moves forward only; each stage but the first two takes effect on a day."""

    DRAFT = "draft"
    APPROVED = "approved"
    SANDBOX = "sandbox"
    ON_SALE = "on-sale"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class SandboxWindow:
    """Since when a version may be tried, and by which channels."""

    since: Effect
    channels: frozenset[str]


@dataclass(frozen=True, slots=True)
class SaleWindow:
    """The days of sale, in UTC, both included; None is without end."""

    first: date
    last: date | None

    def holds(self, day: date) -> bool:
        """Whether the day lies in the window."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The steps that a version has taken, as they stand now. A step that was not taken is None.

    `outlets` are the steps of single channels and regions in the order in which they were recorded.
    """

    approved: bool = False
    sandbox: SandboxWindow | None = None
    sale: SaleWindow | None = None
    closed: Effect | None = None
    withdrawn: Effect | None = None
    outlets: tuple[OutletStep, ...] = ()

    @property
    def published(self) -> bool:
        """Whether the version has left draft for the sandbox or the market; its document is fixed from then on."""
        return self.sandbox is not None or self.sale is not None

    def is_tried_by(self, channel: str, day: date) -> bool:
        """Whether a channel may try the version on a day: in its sandbox, where it or that was named."""
        return (
            is_sandbox(channel)
            and self.on(day) is Stage.SANDBOX
            and self.sandbox is not None
            and not self.sandbox.channels.isdisjoint((channel, channel_behind(channel)))
        )

    def on(self, day: date) -> Stage:
        """The stage on a day: the furthest of those that have taken effect by then."""
        if self.withdrawn is not None and self.withdrawn.reached(day):
            return Stage.WITHDRAWN
        sale = self.sale
        ended = sale is not None and sale.last is not None and sale.last < day
        if ended or (self.closed is not None and self.closed.reached(day)):
            return Stage.CLOSED
        if sale is not None and sale.first <= day:
            return Stage.ON_SALE
        if self.sandbox is not None and self.sandbox.since.reached(day):
            return Stage.SANDBOX
        return Stage.APPROVED if self.approved or sale is not None else Stage.DRAFT
