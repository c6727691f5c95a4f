"""A dossier as a document: the extracts of the four services, collected, written, read again and checked."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.console import Failure
from services.cli.stack import get
from services.kernel import clock
from services.kernel.proof.extract import Extract
from services.kernel.proof.extract_check import check_extract
from services.kernel.proof.finding import Finding, Wrong
from services.kernel.proof.signed_note import VerifyingKey

PAGE_EDITION = 2
"""Raised with every change of the page, since a page is compared with what its events give."""

_OPENING = '<script type="application/json" id="dossier">'
_CLOSING = "</script>"
_POLL_SECONDS = 0.5


class Dossier(BaseModel):
    """Everything about one contract, service by service. `page_edition` says how the page was made of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["policy-ledger/dossier/1"] = "policy-ledger/dossier/1"
    page_edition: int = PAGE_EDITION
    contract_id: str
    made_at: datetime
    parts: tuple[Extract, ...]

    @property
    def events(self) -> int:
        """Events of all services."""
        return sum(len(part.events) for part in self.parts)

    def as_json(self) -> str:
        """The document as a file."""
        return self.model_dump_json(indent=1) + "\n"

    def embedded(self) -> str:
        """The document inside a page. No `<` is left in it, so nothing in it can end the element."""
        return f"{_OPENING}{self.model_dump_json().replace('<', chr(92) + 'u003c')}{_CLOSING}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: what is wrong, by service, what is not proved, and how many events are."""

    findings: tuple[tuple[str, Finding], ...]
    unproved: tuple[str, ...]
    proved: int
    checkpoints: tuple[str, ...]


def collect(stack: Stack, contract_id: str, links: int, wait_seconds: float) -> Dossier:
    """The dossier of a contract; waits so long at most for the services to sign what they have just recorded."""
    deadline = time.monotonic() + wait_seconds
    while True:
        parts = tuple(_part(stack, service, contract_id, links) for service in ServiceName)
        unsigned = any("no checkpoint covers it yet" in why for part in parts for why in part.unsigned)
        if not unsigned or time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    if not any(part.events for part in parts):
        raise Failure(f"There is no contract {contract_id}; `pledger show order CHANNEL ORDER_NO` names an order's.")
    return Dossier(contract_id=contract_id, made_at=clock.now(), parts=parts)


def _part(stack: Stack, service: ServiceName, contract_id: str, links: int) -> Extract:
    return Extract.model_validate(get(stack, service, f"/contracts/{contract_id}/dossier", links=links))


def read(text: str) -> Dossier:
    """The dossier of a file in either form. Fails where it is none."""
    found = text
    if not text.lstrip().startswith("{"):
        found = text.partition(_OPENING)[2].partition(_CLOSING)[0]
    try:
        return Dossier.model_validate_json(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise Failure(f"This is no dossier that can be read: {place}: {first['msg']}.") from error


def check(dossier: Dossier, keys: Sequence[VerifyingKey]) -> Verdict:
    """Recompute every digest and check every signature."""
    findings: list[tuple[str, Finding]] = []
    unproved: list[str] = []
    checkpoints: list[str] = []
    proved = 0
    for service in ServiceName:
        parts = [part for part in dossier.parts if part.service == service]
        if len(parts) != 1 or parts[0].subject != dossier.contract_id:
            found = f"{len(parts)} parts" if len(parts) != 1 else f"one about {parts[0].subject}"
            expected = f"one part about {dossier.contract_id}"
            findings.append((service, Finding(-1, 0, Wrong.MISSING, expected, found)))
            continue
        checked = check_extract(parts[0], keys)
        findings += [(service, finding) for finding in checked.findings]
        unproved += [f"{service} {event}" for event in _unproved(parts[0], set(checked.proved_by))]
        if not checked.complete:
            unproved.append(f"{service}: no known key has signed that these are all events")
        proved += len(checked.proved_by)
        checkpoints += [f"{service} {label}" for label in dict.fromkeys(checked.proved_by.values())]
    known = [service.value for service in ServiceName]
    for part in dossier.parts:
        if part.service not in known:
            findings.append((part.service, Finding(-1, 0, Wrong.INSERTED, f"parts of {', '.join(known)}", "this one")))
    # What is wrong at a place comes before what is wrong with a service as a whole.
    findings.sort(key=lambda found: found[1].partition < 0)
    return Verdict(tuple(findings), tuple(unproved), proved, tuple(checkpoints))


def _unproved(part: Extract, proved: set[tuple[int, int]]) -> list[str]:
    why = dict(reason.split(": ", 1) for reason in part.unsigned if ": " in reason)
    return [
        f"{event.partition}/{event.position} {event.type}: "
        + why.get(f"{event.partition}/{event.position}", "no run with a signature of a known key leads to a checkpoint")
        for event in part.events
        if (event.partition, event.position) not in proved
    ]
