"""The rules for opening, closing and withdrawing a version on sale for one channel or region alone.

The document stays as it was approved. What it does not name is opened by somebody who did not write it.
"""

from contracts.vocabulary.identifiers import is_sandbox
from services.kernel.errors import CommandRefused
from services.quote.domain.lifecycle.commands import MoveOutlet
from services.quote.domain.lifecycle.events import OutletClosed, OutletEvent, OutletOpened, OutletWithdrawn
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.effect import Effect
from services.quote.domain.products.life import Life
from services.quote.domain.products.outlets import Outlet, OutletMove, OutletStep

_MOVES: dict[OutletMove, type[OutletEvent]] = {
    OutletMove.OPEN: OutletOpened,
    OutletMove.CLOSE: OutletClosed,
    OutletMove.WITHDRAW: OutletWithdrawn,
}
_ORDER = (OutletMove.OPEN, OutletMove.CLOSE, OutletMove.WITHDRAW)


def move_outlet(command: MoveOutlet, life: Life, document: ProductDocument, *, wrote_it: bool) -> list[OutletEvent]:
    """What happens on the command; `wrote_it` says whether its person is an author of the document."""
    name, outlet = f"version {document.version} of {document.code}", command.outlet
    if outlet.channel is not None and is_sandbox(outlet.channel):
        message = f"{outlet} is a sandbox; name the channel itself, or open the sandbox (stage sandbox)"
        raise CommandRefused("outlet_is_sandbox", message)
    if life.sale is None:
        message = f"{name} has not been put on sale; its channels and regions are those of its document until then"
        raise CommandRefused("product_not_on_sale", message)
    step, offered = OutletStep(outlet, command.move, Effect(command.from_day)), is_offered(document, outlet)
    own = [before for before in life.outlets if before.outlet == outlet]
    if command.move is OutletMove.OPEN:
        needed = _opens(name, step, own, life, offered=offered)
    else:
        needed = _ends(name, step, own, offered=offered)
    if not needed:
        return []
    if command.move is OutletMove.OPEN and not offered and wrote_it:
        message = (
            f"the document of {name} does not name {outlet}; somebody else than {command.by}, who wrote it, opens it"
        )
        raise CommandRefused("outlet_opened_by_author", message)
    return [
        _MOVES[command.move](
            product_code=command.product_code,
            product_version=command.product_version,
            channel=outlet.channel,
            region=outlet.region,
            from_day=command.from_day,
            by=command.by,
            why=command.why,
        )
    ]


def is_offered(document: ProductDocument, outlet: Outlet) -> bool:
    """Whether the document itself lets the version be sold there."""
    if outlet.channel is not None:
        return document.channels is None or outlet.channel in document.channels
    return document.regions is None or outlet.region in document.regions


def stepped(life_steps: tuple[OutletStep, ...], event: OutletEvent) -> tuple[OutletStep, ...]:
    """The steps with the one that the event tells."""
    move = next(move for move, kind in _MOVES.items() if isinstance(event, kind))
    return (*life_steps, OutletStep(Outlet(event.channel, event.region), move, Effect(event.from_day)))


def _opens(name: str, step: OutletStep, own: list[OutletStep], life: Life, *, offered: bool) -> bool:
    for end, word in ((life.withdrawn, "withdrawn"), (life.closed, "closed to new business")):
        if end is not None and not step.effect.is_before(end):
            message = f"{name} is {word} {end} everywhere; draft a new version for {step.outlet}"
            raise CommandRefused(f"product_version_{word.split()[0]}", message)
    return own[-1] != step if own else not offered


def _ends(name: str, step: OutletStep, own: list[OutletStep], *, offered: bool) -> bool:
    """Whether an end has to be recorded. Raises CommandRefused for one that would come later than what stands."""
    opened = [place for place, before in enumerate(own) if before.move is OutletMove.OPEN]
    if not offered and not opened:
        raise CommandRefused(
            "outlet_not_on_sale", f"{name} is not sold by or in {step.outlet}; there is nothing to end"
        )
    standing = own[opened[-1] + 1 :] if opened else own
    known = [before.effect for before in standing if _ORDER.index(before.move) >= _ORDER.index(step.move)]
    for effect in known:
        if effect.is_before(step.effect):
            message = f"{name} ends for {step.outlet} {effect} already; an end is brought forward, never put off"
            raise CommandRefused("product_ends_earlier", message)
    return step.effect not in known
