"""The catalogue by HTTP: product versions, and the steps of their lives."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from contracts.vocabulary.identifiers import ChannelCode, ProductCode
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
    OpenSandbox,
    PublishProduct,
    WithdrawProduct,
)
from services.quote.domain.products.cloning import clone
from services.quote.domain.products.comparing import differences
from services.quote.domain.products.document import VERSION_MAX, ProductDocument
from services.quote.domain.products.launch import Coinsured
from services.quote.domain.products.part import PlainText
from services.quote.domain.products.reading import InvalidDocument, read_document
from services.quote.inbound import product_stream
from services.quote.plan_sheet import Language, plan_sheet
from services.quote.product_schema import product_schema

CHANGES_MAX = 100

router = APIRouter(tags=["products"])

VersionNumber = Annotated[int, PathParameter(ge=1, le=VERSION_MAX)]
OnDay = Annotated[date | None, Query(description="The day for which states are told; today in UTC unless given")]


class StepTaken(BaseModel):
    """Who takes a step with a product version, and why; both are kept for ever."""

    model_config = ConfigDict(extra="forbid")

    by: PlainText
    why: PlainText


class Drafting(StepTaken):
    """A document to be put down as a draft."""

    document: dict[str, Any]


class Cloning(StepTaken):
    """A draft out of another version: `changes` by dotted path. Without `version`, the next free one."""

    to: ProductCode
    version: Annotated[int, Field(ge=1, le=VERSION_MAX)] | None = None
    changes: Annotated[dict[str, Any], Field(max_length=CHANGES_MAX)] = Field(default_factory=dict)
    coinsurance: Coinsured | None = None


class Approval(StepTaken):
    """`document_digest`, or its beginning, is that of the draft that was read; another draft is then not approved."""

    document_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")] | None = None


class Publication(StepTaken):
    """`sandbox`, for the channels named, or `on-sale`. No day: the sandbox at once, sale on the document's day."""

    stage: Literal["sandbox", "on-sale"] = "on-sale"
    from_day: date | None = None
    channels: Annotated[tuple[ChannelCode, ...], Field(max_length=CHANGES_MAX)] = ()


class Ending(StepTaken):
    """The end of new business or of all sale; no day means at once."""

    from_day: date | None = None


class DifferenceView(BaseModel):
    """A path where two versions differ."""

    path: str
    before: Any
    after: Any


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
    code: ProductCode, version: VersionNumber, request: Request, language: Language = Language.ENGLISH
) -> HTMLResponse:
    """The plan as a page that a buyer can read and print."""
    found = await _found(request, code, version)
    return HTMLResponse(plan_sheet(_document(found), language, found.life().sale))


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
    return JSONResponse({"code": cloning.to, "version": number, **result.model_dump(mode="json")}, status_code=201)


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


@router.post("/products/{code}/versions/{version}/close")
async def close(
    code: ProductCode, version: VersionNumber, ending: Ending, request: Request, idempotency_key: IdempotencyKey
) -> CommandResult:
    """Take no new business under a version; contracts that were sold under it are renewed."""
    command = CloseProduct(product_code=code, product_version=version, **ending.model_dump())
    return await _execute(request, code, command, idempotency_key)


@router.post("/products/{code}/versions/{version}/withdraw")
async def withdraw(
    code: ProductCode, version: VersionNumber, ending: Ending, request: Request, idempotency_key: IdempotencyKey
) -> CommandResult:
    """Sell a product version no longer; policies sold under it keep it."""
    command = WithdrawProduct(product_code=code, product_version=version, **ending.model_dump())
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


def _not_valid(error: InvalidDocument) -> Response:
    faults = [fault.model_dump(mode="json") for fault in error.faults]
    return problem(422, "The product document is not valid", f"{len(faults)} faults", {"faults": faults})


def _not_fitting(path: str, message: str) -> Response:
    return problem(422, "The request is not valid", "1 faults", {"faults": [{"path": path, "message": message}]})


async def _execute(
    request: Request, product_code: str, command: CatalogueCommand, idempotency_key: str
) -> CommandResult:
    instruction = Instruction(lane=product_code, stream=product_stream(product_code), command=command)
    return await kernel_of(request).execute(instruction, idempotency_key)
