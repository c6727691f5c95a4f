"""What every service's HTTP API shares: health, metrics, status, history, problem documents (RFC 9457)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from services.kernel.commands.idempotent import CommandResult
from services.kernel.errors import CommandConflict, CommandRefused, Overloaded, StillStarting
from services.kernel.messages import Instruction, Recorded
from services.kernel.postgres import TRANSIENT, is_transient
from services.kernel.process.runtime import Kernel
from services.kernel.proof.extract import Extract, Wanted
from services.kernel.proof.extracting import LINKS_DEFAULT, LINKS_MAX

Found = TypeVar("Found")

_AWAY = (
    "the database does not answer at the moment; "
    "a command that is sent again with its Idempotency-Key has its effect once"
)

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[!-~]+$",
        description="An id of the caller's own; sending the command again with it returns the first outcome",
    ),
]

LinksLimit = Annotated[int, Query(ge=0, le=LINKS_MAX, description="how many links to signed checkpoints, at most")]
LINKS_GIVEN = LINKS_DEFAULT


class HistoryEntry(BaseModel):
    """One event of a stream, as it lies in the log."""

    partition: int
    position: int
    version: int
    type: str
    recorded_at: datetime
    data: dict[str, Any]
    meta: dict[str, Any]
    digest: str

    @staticmethod
    def of(recorded: Recorded[Any]) -> "HistoryEntry":
        """The entry of a recorded event."""
        return HistoryEntry(
            partition=recorded.partition,
            position=recorded.position,
            version=recorded.version,
            type=recorded.event.event_type,
            recorded_at=recorded.recorded_at,
            data=recorded.event.model_dump(mode="json"),
            meta=dict(recorded.meta),
            digest=recorded.digest.hex(),
        )


class KernelAccess:
    """What a route may use of the running service."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.read = kernel.read

    async def history(self, lane: str, stream: str) -> list[HistoryEntry]:
        """All events of a stream."""
        return [HistoryEntry.of(recorded) for recorded in await self._kernel.history(lane, stream)]

    async def extract(self, subject: str, wanted: Sequence[Wanted], links_max: int) -> Extract:
        """These streams as they lie in the log, with what proves them."""
        return await self._kernel.extract(subject, wanted, links_max)

    async def execute(self, instruction: Instruction, idempotency_key: str) -> CommandResult:
        """Carry out a command once. What it raises becomes a problem document: 409 if refused, 503 if too many wait."""
        async with self._kernel.one_more_command():
            return await self._kernel.execute(instruction, idempotency_key)


def kernel_of(request: Request) -> KernelAccess:
    """The running service behind a request."""
    return KernelAccess(request.app.state.kernel)


def or_not_found(found: Found | None, field: str, wanted: str) -> Found:
    """What was found. Raises 404 naming the field where it is nothing or empty."""
    if not found:
        raise HTTPException(404, f"no entry with {field} {wanted}")
    return found


async def _require_open(request: Request) -> None:
    kernel: Kernel = request.app.state.kernel
    if not kernel.open:
        raise StillStarting(_not_ready(kernel))


def _not_ready(kernel: Kernel) -> str:
    return f"{kernel.definition.name} {kernel.waits_for or 'is starting or stopping'}"


is_open = Depends(_require_open)
"""For routes that need log and read models: 503 with the reason until the service has its database."""

operations = APIRouter(tags=["operations"])


@operations.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@operations.get("/health/ready")
async def ready(request: Request) -> Response:
    """The service takes messages in and relays events; 503 says why not, `stopped` where only a person can help.

    A server that is away while the service starts is `not ready`: it is waited for.
    """
    kernel: Kernel = request.app.state.kernel
    if not kernel.started:
        return JSONResponse({"status": "not ready", "reason": _not_ready(kernel)}, status_code=503)
    reasons = kernel.stopped_because
    body = {"status": "stopped" if reasons else "ready", "reason": "; ".join(reasons) or None}
    return JSONResponse(body, status_code=503 if reasons else 200)


@operations.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Prometheus metrics."""
    return Response(request.app.state.kernel.metrics.render(), media_type="text/plain; version=0.0.4")


@operations.get("/asyncapi.json", dependencies=[is_open])
async def asyncapi(request: Request) -> Response:
    """What the service subscribes to, as AsyncAPI 3."""
    return Response(request.app.state.kernel.asyncapi(), media_type="application/json")


@operations.get("/status", dependencies=[is_open])
async def status(request: Request) -> dict[str, Any]:
    """Log heads, relay, projector and inbox positions."""
    found: dict[str, Any] = await request.app.state.kernel.status()
    return found


@operations.get("/checkpoint", dependencies=[is_open], response_class=PlainTextResponse)
async def checkpoint(request: Request) -> Response:
    """The last signed checkpoint of the log, as a signed note; keep one, and a rewritten log will show."""
    signer = request.app.state.kernel.signer
    note: str | None = signer.latest()
    if note is None:
        raise HTTPException(404, f"there is no checkpoint: {signer.status}")
    return PlainTextResponse(note)


def problem(status_code: int, title: str, detail: str, extra: Mapping[str, Any] | None = None) -> JSONResponse:
    """A problem document."""
    body = {"type": "about:blank", "title": title, "status": status_code, "detail": detail, **(extra or {})}
    return JSONResponse(body, status_code=status_code, media_type="application/problem+json")


def install_problems(app: FastAPI) -> None:
    """Turn errors into problem documents; nobody outside sees a stack trace."""

    async def refused(request: Request, error: Exception) -> Response:
        code = error.code if isinstance(error, CommandRefused) else "command_id_reused"
        return problem(409, "The command was refused", str(error), {"code": code})

    async def starting(request: Request, error: Exception) -> Response:
        return _again_later("The service is starting", str(error))

    async def not_found(request: Request, error: Exception) -> Response:
        status_code = error.status_code if isinstance(error, HTTPException) else 500
        return problem(status_code, "Not found" if status_code == 404 else "Error", getattr(error, "detail", ""))

    async def invalid(request: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        faults = [{"path": ".".join(map(str, entry["loc"])), "message": entry["msg"]} for entry in found]
        return problem(422, "The request is not valid", f"{len(faults)} faults", {"faults": faults})

    async def overloaded(request: Request, error: Exception) -> Response:
        return _again_later("Try again", str(error), 1)

    async def unavailable(request: Request, error: Exception) -> Response:
        if not is_transient(error):
            raise error
        return _again_later("Try again", _AWAY)

    async def failed(request: Request, error: Exception) -> Response:
        return problem(500, "Internal error", "the error was logged")

    app.add_exception_handler(CommandRefused, refused)
    app.add_exception_handler(CommandConflict, refused)
    app.add_exception_handler(StillStarting, starting)
    app.add_exception_handler(HTTPException, not_found)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Overloaded, overloaded)
    # By class: what the handler of all exceptions answers is raised again behind it, and logged with its stack.
    for transient in TRANSIENT:
        app.add_exception_handler(transient, unavailable)
    app.add_exception_handler(Exception, failed)


def _again_later(title: str, detail: str, seconds: int = 2) -> JSONResponse:
    answer = problem(503, title, detail)
    answer.headers["Retry-After"] = str(seconds)
    return answer
