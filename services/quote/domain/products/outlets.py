"""Outlets: a channel or a region in which a product version is sold, with steps of its own from day to day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from services.quote.domain.products.effect import Effect


class OutletStage(StrEnum):
    """Whether an outlet sells: `offered` is what the document itself says, without any step."""

    NOT_OFFERED = "not-offered"
    ON_SALE = "on-sale"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class OutletMove(StrEnum):
    """What can be done with one outlet: let it sell, take no new business there, or sell nothing more."""

    OPEN = "open"
    CLOSE = "close"
    WITHDRAW = "withdraw"


_ENDS = MappingProxyType({OutletMove.CLOSE: OutletStage.CLOSED, OutletMove.WITHDRAW: OutletStage.WITHDRAWN})
_FURTHER = (OutletStage.NOT_OFFERED, OutletStage.ON_SALE, OutletStage.CLOSED, OutletStage.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Outlet:
    """One of both: a channel, in all regions, or a region, through all channels."""

    channel: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        return f"channel {self.channel}" if self.channel is not None else f"region {self.region}"


@dataclass(frozen=True, slots=True)
class OutletStep:
    """A step of an outlet and since when it holds."""

    outlet: Outlet
    move: OutletMove
    effect: Effect


def stage_on(steps: Sequence[OutletStep], outlet: Outlet, day: date, *, offered: bool) -> OutletStage:
    """The stage of an outlet on a day; `offered` says whether the document names it, or any.

    Of the steps whose day has come the later recorded holds, but a closing does not take a withdrawal back.
    """
    stage = OutletStage.ON_SALE if offered else OutletStage.NOT_OFFERED
    for step in steps:
        if step.outlet == outlet and step.effect.reached(day):
            if step.move is OutletMove.OPEN:
                stage = OutletStage.ON_SALE
            else:
                stage = max(stage, _ENDS[step.move], key=_FURTHER.index)
    return stage
