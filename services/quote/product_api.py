"""The catalogue by HTTP: product versions, and the steps of their lives."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, JSONResponse

from contracts.vocabulary.identifiers import ProductCode
from services.kernel import clock
from services.kernel.commands.idempotent import CommandResult
from services.kernel.messages import Instruction
from services.kernel.process.http import HistoryEntry, IdempotencyKey, kernel_of, or_not_found, problem
from services.quote import product_queries
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
from services.quote.domain.products.cloning import clone
from services.quote.domain.products.comparing import differences
from services.quote.domain.products.document import VERSION_MAX, ProductDocument
from services.quote.domain.products.outlets import Outlet, OutletMove
from services.quote.domain.products.reading import InvalidDocument, read_document
from services.quote.inbound import product_stream
from services.quote.plan_sheet import Language, plan_sheet
from services.quote.product_requests import (
    Approval,
    Cloning,
    DifferenceView,
    Drafting,
    Ending,
    Publication,
)
from services.quote.product_schema import product_schema

router = APIRouter(tags=["products"])

VersionNumber = Annotated[int, PathParameter(ge=1, le=VERSION_MAX)]
OnDay = Annotated[date | None, Query(description="The day for which states are told; today in UTC unless given")]


@router.get("/product-schema")
async def schema() -> dict[str, Any]:
    """The JSON Schema of product documents."""
    return product_schema()


@router.get("/products")
async def products(request: Request, on: OnDay = None) -> list[product_queries.ProductVersionView]:
    """The whole catalogue, drafts and withdrawn versions too, with the state of each on a day."""
    return await product_queries.product_versions(kernel_of(request).read, on or _today())


@router.get("/products/{code}")
async def product(code: ProductCode, request: Request, on: OnDay = None) -> list[product_queries.ProductVersionView]:
    """All versions of a product."""
    found = await product_queries.product_versions(kernel_of(request).read, on or _today(), code)
    return or_not_found(found, "code", code)


@router.get("/products/{code}/history")
async def history(code: ProductCode, request: Request) -> list[HistoryEntry]:
    """Every step of every version, straight from the log: who, when, why."""
    entries = await kernel_of(request).history(code, product_stream(code))
    return or_not_found(entries, "code", code)


@router.get("/products/{code}/versions/{version}")
async def product_version(
    code: ProductCode, version: VersionNumber, request: Request, on: OnDay = None
) -> product_queries.ProductVersionView:
    """One version of a product with its document, its steps and its state on a day."""
    return await _found(request, code, version, on)


@router.get("/products/{code}/versions/{version}/sheet", response_class=HTMLResponse)
async def sheet(
    code: ProductCode,
    version: VersionNumber,
    request: Request,
    language: Language = Language.ENGLISH,
    inside: Annotated[bool, Query(description="With the chapter for the insurer only")] = False,
) -> HTMLResponse:
    """The plan as a page that a buyer can read and print."""
    found = await _found(request, code, version)
    return HTMLResponse(plan_sheet(_document(found), language, found.life(), for_staff=inside))


@router.get("/products/{code}/versions/{version}/differences")
async def compare(
    code: ProductCode,
    version: VersionNumber,
    request: Request,
    other: Annotated[int, Query(ge=1, le=VERSION_MAX, description="The version to compare with")],
    other_code: ProductCode | None = None,
) -> list[DifferenceView]:
    """Where another version, of this product unless told, says otherwise than this one, path by path."""
    before = _document(await _found(request, code, version))
    after = _document(await _found(request, other_code or code, other))
    return [DifferenceView(path=one.path, before=one.before, after=one.after) for one in differences(before, after)]


@router.post("/products/validate")
async def validate(document: dict[str, Any]) -> Response:
    """Check a document and write nothing. 422 lists all of its faults."""
    try:
        valid = read_document(document)
    except InvalidDocument as error:
        return _not_valid(error)
    return JSONResponse({"code": valid.code, "version": valid.version, "faults": []})


@router.post("/products", status_code=201, response_model=CommandResult)
async def draft(drafting: Drafting, request: Request, idempotency_key: IdempotencyKey) -> Response:
    """Put a document down as a draft. 422 lists all its faults, 409 says that the version is published otherwise."""
    try:
        valid = read_document(drafting.document)
    except InvalidDocument as error:
        return _not_valid(error)
    command = DraftProduct(document=valid, by=drafting.by, why=drafting.why)
    result = await _execute(request, valid.code, command, idempotency_key)
    return JSONResponse(result.model_dump(mode="json"), status_code=201)


@router.post("/products/{code}/versions/{version}/clone", status_code=201)
async def clone_version(
    code: ProductCode, version: VersionNumber, cloning: Cloning, request: Request, idempotency_key: IdempotencyKey
) -> Response:
    """Draft a variant of a version. 422 lists the faults that the changes lead to."""
    model = await _found(request, code, version)
    number = cloning.version
    if number is None:
        there = await product_queries.product_versions(kernel_of(request).read, _today(), cloning.to)
        number = 1 + max((one.version for one in there), default=0)
    try:
        document = clone(
            _document(model),
            code=cloning.to,
            version=number,
            sold=model.sale is not None,
            changes=cloning.changes,
            coinsured=cloning.coinsurance,
        )
    except InvalidDocument as error:
        return _not_valid(error)
    command = DraftProduct(document=document, by=cloning.by, why=cloning.why, cloned_from=f"{code} {version}")
    result = await _execute(request, cloning.to, command, idempotency_key)
    return JSONResponse({**result.model_dump(mode="json"), "code": cloning.to, "version": number}, status_code=201)


@router.post("/products/{code}/versions/{version}/approve")
async def approve(
    code: ProductCode, version: VersionNumber, approval: Approval, request: Request, idempotency_key: IdempotencyKey
) -> CommandResult:
    """Approve a draft, as a second person. 409 where the same person wrote it."""
    command = ApproveProduct(product_code=code, product_version=version, **approval.model_dump())
    return await _execute(request, code, command, idempotency_key)


@router.post("/products/{code}/versions/{version}/publish", response_model=CommandResult)
async def publish(
    code: ProductCode,
    version: VersionNumber,
    publication: Publication,
    request: Request,
    idempotency_key: IdempotencyKey,
) -> CommandResult | Response:
    """Open the sandbox to channels, or put the version on sale; from a day on."""
    step: dict[str, Any] = {
        "product_code": code,
        "product_version": version,
        "from_day": publication.from_day,
        "by": publication.by,
        "why": publication.why,
    }
    sandbox = publication.stage == "sandbox"
    if sandbox != bool(publication.channels):
        message = "names the channels that may try the version; sale is to the channels of the document"
        return _not_fitting("channels", message)
    command = OpenSandbox(channels=publication.channels, **step) if sandbox else PublishProduct(**step)
    return await _execute(request, code, command, idempotency_key)


@router.post("/products/{code}/versions/{version}/open", response_model=CommandResult)
async def open_outlet(
    code: ProductCode, version: VersionNumber, opening: Ending, request: Request, idempotency_key: IdempotencyKey
) -> CommandResult | Response:
    """Let one channel or region sell a version that is on sale: one more, or again after an end of its own."""
    if opening.channel is None and opening.region is None:
        return _not_fitting("channel", "name the channel or the region; a whole version is put on sale by publish")
    return await _end(request, code, version, opening, idempotency_key, OutletMove.OPEN)


@router.post("/products/{code}/versions/{version}/close", response_model=CommandResult)
async def close(
    code: ProductCode, version: VersionNumber, ending: Ending, request: Request, idempotency_key: IdempotencyKey
) -> CommandResult | Response:
    """Take no new business under a version, everywhere or for one outlet; what was sold under it is renewed."""
    return await _end(request, code, version, ending, idempotency_key, OutletMove.CLOSE)


@router.post("/products/{code}/versions/{version}/withdraw", response_model=CommandResult)
async def withdraw(
    code: ProductCode, version: VersionNumber, ending: Ending, request: Request, idempotency_key: IdempotencyKey
) -> CommandResult | Response:
    """Sell a product version no longer, anywhere or in one outlet; policies sold under it keep it."""
    return await _end(request, code, version, ending, idempotency_key, OutletMove.WITHDRAW)


async def _end(
    request: Request, code: str, version: int, ending: Ending, idempotency_key: str, move: OutletMove
) -> CommandResult | Response:
    if ending.channel is not None and ending.region is not None:
        return _not_fitting("region", "name a channel or a region, and take one step for each")
    command: CatalogueCommand
    step = ending.model_dump(exclude={"channel", "region"}) | {"product_code": code, "product_version": version}
    if ending.channel is not None or ending.region is not None:
        command = MoveOutlet(outlet=Outlet(ending.channel, ending.region), move=move, **step)
    else:
        command = CloseProduct(**step) if move is OutletMove.CLOSE else WithdrawProduct(**step)
    return await _execute(request, code, command, idempotency_key)


def _today() -> date:
    return clock.now().date()


async def _found(
    request: Request, code: str, version: int, on: date | None = None
) -> product_queries.ProductVersionView:
    found = await product_queries.product_version(kernel_of(request).read, code, version, on or _today())
    return or_not_found(found, "version", f"{code} {version}")


def _document(found: product_queries.ProductVersionView) -> ProductDocument:
    return ProductDocument.model_validate(found.document)


def _counted(faults: int) -> str:
    return "1 fault" if faults == 1 else f"{faults} faults"


def _not_valid(error: InvalidDocument) -> Response:
    faults = [fault.model_dump(mode="json") for fault in error.faults]
    return problem(422, "The product document is not valid", _counted(len(faults)), {"faults": faults})


def _not_fitting(path: str, message: str) -> Response:
    return problem(422, "The request is not valid", _counted(1), {"faults": [{"path": path, "message": message}]})


async def _execute(
    request: Request, product_code: str, command: CatalogueCommand, idempotency_key: str
) -> CommandResult:
    instruction = Instruction(lane=product_code, stream=product_stream(product_code), command=command)
    return await kernel_of(request).execute(instruction, idempotency_key)
