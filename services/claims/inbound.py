"""From foreign facts to commands: cover in force, loss notices, claim payments."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from contracts.billing.v1 import ClaimPaid
from contracts.channel.v1 import LossReported
from contracts.policy.v1 import PolicyIssued, PolicyRenewed, SandboxCleared
from contracts.topics import ORDER_BYTES_MAX, ServiceName, channel_of, events_topic
from contracts.vocabulary.faults import Fault
from contracts.vocabulary.money import AMOUNT_MINOR_MAX
from services.claims.domain import findings
from services.claims.domain.commands import (
    ClaimsCommand,
    ClearSandbox,
    RecordPayment,
    RefuseNotice,
    RegisterCover,
    ReportLoss,
)
from services.claims.domain.lines import ClaimedLine
from services.kernel.messages import Delivery, FieldFault, Instruction, UniqueKey
from services.kernel.routing import route

SOURCES = (events_topic(ServiceName.POLICY), events_topic(ServiceName.BILLING))


def stream_of(contract_id: str) -> str:
    """The stream of a contract's cover and claims."""
    return f"cover-{contract_id}"


def to_cover(contract_id: str, command: ClaimsCommand) -> Instruction:
    """The command, addressed to the contract's stream."""
    return Instruction(lane=contract_id, stream=stream_of(contract_id), command=command)


def on_cover_in_force(event: PolicyIssued | PolicyRenewed) -> Sequence[Instruction]:
    """A term that was issued or renewed is cover from now on."""
    command = RegisterCover(policy_no=event.policy_no, term_no=event.term_no, terms=event.terms)
    return (to_cover(event.terms.contract_id, command),)


def on_claim_paid(event: ClaimPaid) -> Sequence[Instruction]:
    """The money is out, so the claim can be closed."""
    command = RecordPayment(claim_no=event.claim_no, paid_minor=event.paid_minor, currency=event.currency)
    return (to_cover(event.contract_id, command),)


def on_sandbox_cleared(event: SandboxCleared) -> Sequence[Instruction]:
    """Put away here as well what came before it in its partition."""
    command = ClearSandbox(channel=event.channel, lane=event.lane, cleared_by=event.cleared_by, reason=event.reason)
    return (Instruction(lane=event.lane, stream=f"sandbox-{event.lane}", command=command),)


react = route(
    (PolicyIssued, on_cover_in_force),
    (PolicyRenewed, on_cover_in_force),
    (ClaimPaid, on_claim_paid),
    (SandboxCleared, on_sandbox_cleared),
)


def react_to_channel(delivery: Delivery) -> Sequence[Instruction]:
    """A valid loss notice to a command; everything else is another service's matter."""
    message = _loss_reported(delivery.value)
    if message is None:
        return ()
    return (_on_loss_reported(message, channel_of(delivery.topic), delivery.source),)


def _loss_reported(value: bytes | None) -> LossReported | None:
    # Most records are orders. JSON may also write the type with \u00.. escapes, so these are looked at too.
    if not value or len(value) > ORDER_BYTES_MAX or (b"loss.reported" not in value and b"\\u00" not in value):
        return None
    try:
        message = LossReported.model_validate_json(value, strict=True)
        # The model's own reader takes the last of two fields of one name, which nobody can have meant.
        json.loads(value, object_pairs_hook=_fields_named_once)
    except ValueError:
        return None
    return message


def _fields_named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field is given twice")
    return fields


def _on_loss_reported(message: LossReported, channel: str, source: str) -> Instruction:
    contract_id = message.contract_id(channel)
    digest = _content_digest(message, channel)
    if sum(line.claimed_minor for line in message.lines) > AMOUNT_MINOR_MAX:
        fault = findings.claimed_total_too_high(AMOUNT_MINOR_MAX)
        return _refusal(message, channel, source, contract_id, digest, fault)
    return Instruction(
        lane=contract_id,
        stream=stream_of(contract_id),
        command=ReportLoss(
            contract_id=contract_id,
            channel=channel,
            notice_no=message.notice_no,
            content_digest=digest,
            source=source,
            loss_date=message.loss_date,
            reported_at=message.reported_at,
            currency=message.currency,
            lines=tuple(
                ClaimedLine(line_no=line.line_no, coverage=line.coverage, claimed_minor=line.claimed_minor)
                for line in message.lines
            ),
            description=message.description,
        ),
        unique=UniqueKey("notice_no", f"{channel}/{message.notice_no}"),
        otherwise=_refusal(
            message, channel, source, contract_id, digest, findings.notice_number_reused(message.notice_no)
        ),
    )


def _refusal(
    message: LossReported, channel: str, source: str, contract_id: str, digest: str, fault: Fault
) -> Instruction:
    # The contract's lane, so that a refusal locks no other partition; a stream of its own, as it is no claim.
    return Instruction(
        lane=contract_id,
        stream=f"loss-notice-{digest}",
        command=RefuseNotice(
            contract_id=contract_id,
            channel=channel,
            notice_no=message.notice_no,
            content_digest=digest,
            source=source,
            faults=(fault,),
        ),
        dead_letter=fault.code,
        faults=(FieldFault(fault.code, fault.path, fault.message),),
    )


def _content_digest(message: LossReported, channel: str) -> str:
    # Over the parsed content: blanks and the order of fields do not matter. Absent fields are left out, so
    # that a field added to the contract later does not change the digest of notices known before.
    content = f"{channel}\x1f{message.model_dump_json(exclude_none=True)}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]
