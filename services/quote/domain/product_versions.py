"""The rules of the catalogue: a second person approves, a published version never changes, stages go forward only."""

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeAlias, assert_never

from services.kernel.errors import CommandRefused, CorruptHistory
from services.quote.domain.lifecycle.commands import (
    ApproveProduct,
    CatalogueCommand,
    CloseProduct,
    DraftProduct,
    MoveOutlet,
    OpenSandbox,
    PublishProduct,
    WithdrawProduct,
)
from services.quote.domain.lifecycle.events import (
    CatalogueEvent,
    OutletClosed,
    OutletOpened,
    OutletWithdrawn,
    ProductApproved,
    ProductClosed,
    ProductDrafted,
    ProductPublished,
    ProductWithdrawn,
    SandboxOpened,
)
from services.quote.domain.outlet_steps import move_outlet, stepped
from services.quote.domain.products.comparing import differences
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.life import Effect, Life, SaleWindow, SandboxWindow
from services.quote.domain.state import CataloguedVersion, NothingYet, Product

_PATHS_NAMED_MAX = 12

_Step: TypeAlias = ApproveProduct | OpenSandbox | PublishProduct | CloseProduct | WithdrawProduct | MoveOutlet


def decide(command: CatalogueCommand, state: NothingYet | Product) -> list[CatalogueEvent]:
    """What happens on a command about a product."""
    product = state if isinstance(state, Product) else Product(versions={})
    match command:
        case DraftProduct():
            return _draft(command, product.versions.get(command.document.version))
        case ApproveProduct():
            return _approve(command, _known(command, product))
        case OpenSandbox():
            return _open_sandbox(command, _known(command, product))
        case PublishProduct():
            return _publish(command, _known(command, product))
        case CloseProduct():
            return _close(command, _known(command, product))
        case WithdrawProduct():
            return _withdraw(command, _known(command, product).life)
        case MoveOutlet():
            known = _known(command, product)
            return [*move_outlet(command, known.life, _document(known), wrote_it=person(command.by) in known.authors)]
        case _:
            assert_never(command)


def digest_of(document: str) -> str:
    """sha256 of a canonical document, by which an approval names what it approves."""
    return hashlib.sha256(document.encode()).hexdigest()


def _draft(command: DraftProduct, known: CataloguedVersion | None) -> list[CatalogueEvent]:
    document = command.document
    if known is not None:
        # Documents are compared, not texts: a later build writes the same document with further default fields.
        before = ProductDocument.model_validate_json(known.document)
        if before == document:
            return []
        if command.cloned_from is not None:
            message = f"{document.code} has a version {document.version} already; clone to a further version"
            raise CommandRefused("product_version_exists", message)
        name = f"version {document.version} of {document.code}"
        paths = _listed(difference.path for difference in differences(before, document))
        advice = f"it would change {paths}; draft the change as a new version"
        if known.life.published:
            raise CommandRefused("product_version_published", f"{name} is published and never changes; {advice}")
        if known.life.withdrawn is not None:
            raise CommandRefused("product_version_withdrawn", f"{name} was withdrawn; {advice}")
    return [
        ProductDrafted(
            product_code=document.code,
            product_version=document.version,
            line=document.line,
            document=document.canonical(),
            by=command.by,
            why=command.why,
            cloned_from=command.cloned_from,
        )
    ]


def _approve(command: ApproveProduct, version: CataloguedVersion) -> list[CatalogueEvent]:
    digest = digest_of(version.document)
    name = _name(command)
    if not digest.startswith(command.document_digest or ""):
        message = f"{name} is not the draft that was read: its digest is {digest}; read it again"
        raise CommandRefused("product_draft_changed", message)
    if version.life.approved or version.life.published:
        return []
    if version.life.withdrawn is not None:
        raise CommandRefused("product_version_withdrawn", f"{name} was withdrawn; draft a new version")
    if person(command.by) in version.authors:
        message = f"{name} was written by {command.by}; a second person has to approve it"
        raise CommandRefused("product_approved_by_author", message)
    return [ProductApproved(**_step(command), document_digest=digest, by=command.by, why=command.why)]


def _open_sandbox(command: OpenSandbox, version: CataloguedVersion) -> list[CatalogueEvent]:
    life, channels = version.life, frozenset(command.channels)
    if life.sandbox == SandboxWindow(Effect(command.from_day), channels):
        return []
    _require_approval(command, life)
    if life.sale is not None:
        raise CommandRefused("product_on_sale", f"{_name(command)} has been put on sale; the sandbox is before that")
    offered = _document(version).channels
    if offered is not None and (strange := channels.difference(offered)):
        message = f"{_name(command)} is not for {_listed(sorted(strange))}; its channels are {_listed(offered)}"
        raise CommandRefused("channel_not_in_document", message)
    return [
        SandboxOpened(
            **_step(command),
            channels=tuple(sorted(channels)),
            from_day=command.from_day,
            by=command.by,
            why=command.why,
        )
    ]


def _publish(command: PublishProduct, version: CataloguedVersion) -> list[CatalogueEvent]:
    document, life = _document(version), version.life
    first = command.from_day or document.on_sale_from
    if life.sale is not None and first == life.sale.first:
        return []
    _require_approval(command, life)
    if life.closed is not None:
        message = f"{_name(command)} is closed to new business, which is not taken back; draft a new version"
        raise CommandRefused("product_version_closed", message)
    if document.on_sale_until is not None and document.on_sale_until < first:
        message = f"{_name(command)} is sold until {document.on_sale_until}; put it on sale by then, not on {first}"
        raise CommandRefused("sale_ends_before_it_begins", message)
    full_path = document.requirement is not None and document.requirement.path == "full"
    if full_path and life.sandbox is None:
        message = f"{_name(command)} is on the full path to launch (requirement.path); open the sandbox first"
        raise CommandRefused("sandbox_required", message)
    return [
        ProductPublished(
            **_step(command),
            line=document.line,
            on_sale_from=first,
            on_sale_until=document.on_sale_until,
            document=version.document,
            by=command.by,
            why=command.why,
        )
    ]


def _close(command: CloseProduct, version: CataloguedVersion) -> list[CatalogueEvent]:
    life, effect = version.life, Effect(command.from_day)
    if life.withdrawn is not None and not effect.is_before(life.withdrawn):
        message = f"{_name(command)} is withdrawn {life.withdrawn}; there is nothing left to close"
        raise CommandRefused("product_version_withdrawn", message)
    if life.sale is None:
        message = f"{_name(command)} has not been put on sale; there is no business to close"
        raise CommandRefused("product_not_on_sale", message)
    if not _ends_sooner(command, effect, life.closed):
        return []
    return [ProductClosed(**_step(command), from_day=command.from_day, by=command.by, why=command.why)]


def _withdraw(command: WithdrawProduct, life: Life) -> list[CatalogueEvent]:
    if not _ends_sooner(command, Effect(command.from_day), life.withdrawn):
        return []
    return [ProductWithdrawn(**_step(command), reason=command.why, from_day=command.from_day, by=command.by)]


def _ends_sooner(command: CloseProduct | WithdrawProduct, wanted: Effect, stands: Effect | None) -> bool:
    """Whether an end has to be recorded. Raises CommandRefused for one that would come later than what stands."""
    if stands is None or wanted.is_before(stands):
        return True
    if wanted != stands:
        message = f"{_name(command)} ends {stands} already; an end is brought forward, never put off"
        raise CommandRefused("product_ends_earlier", message)
    return False


def _require_approval(command: OpenSandbox | PublishProduct, life: Life) -> None:
    name = _name(command)
    if life.withdrawn is not None:
        raise CommandRefused("product_version_withdrawn", f"{name} was withdrawn; draft a new version")
    if not (life.approved or life.published):
        raise CommandRefused("product_not_approved", f"{name} is a draft; a second person has to approve it first")


def _known(command: _Step, product: Product) -> CataloguedVersion:
    version = product.versions.get(command.product_version)
    if version is None:
        message = f"{command.product_code} has no version {command.product_version}; draft it first"
        raise CommandRefused("product_version_unknown", message)
    return version


def person(name: str) -> str:
    """A name as it is compared: one person stays one, however capitals, width and blanks are written."""
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _step(command: _Step) -> dict[str, Any]:
    return {"product_code": command.product_code, "product_version": command.product_version}


def _name(command: _Step) -> str:
    return f"version {command.product_version} of {command.product_code}"


def _listed(names: Iterable[str]) -> str:
    told = list(names)
    more = len(told) - _PATHS_NAMED_MAX
    return ", ".join(told[:_PATHS_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def _document(version: CataloguedVersion) -> ProductDocument:
    return ProductDocument.model_validate_json(version.document)


def evolve(state: NothingYet | Product, event: CatalogueEvent) -> Product:
    """What is true of a product after an event."""
    versions = state.versions if isinstance(state, Product) else {}
    known = versions.get(event.product_version)
    return Product({**versions, event.product_version: _stepped(known, event)})


def _stepped(known: CataloguedVersion | None, event: CatalogueEvent) -> CataloguedVersion:
    match event:
        case ProductDrafted():
            # Another draft is another document: what was approved was the one before.
            authors = frozenset() if known is None else known.authors
            return CataloguedVersion(event.document, authors | {person(event.by)})
        case ProductPublished():
            version = known or CataloguedVersion(event.document)
            sale = SaleWindow(event.on_sale_from, event.on_sale_until)
            return replace(version, life=replace(version.life, sale=sale))
        case _:
            pass
    if known is None:
        raise CorruptHistory(f"{event.event_type} of {event.product_code} v{event.product_version} before any draft")
    match event:
        case ProductApproved():
            life = replace(known.life, approved=True)
        case SandboxOpened():
            sandbox = SandboxWindow(Effect(event.from_day), frozenset(event.channels))
            life = replace(known.life, sandbox=sandbox)
        case ProductClosed():
            life = replace(known.life, closed=Effect(event.from_day))
        case ProductWithdrawn():
            life = replace(known.life, withdrawn=Effect(event.from_day))
        case OutletOpened() | OutletClosed() | OutletWithdrawn():
            life = replace(known.life, outlets=stepped(known.life.outlets, event))
        case _:
            assert_never(event)
    return replace(known, life=life)
