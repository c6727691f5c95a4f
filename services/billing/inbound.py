"""From foreign facts to commands: terms, failed orders, approved claims, and the channels' payment reports."""

import hashlib
import json
from collections.abc import Sequence

from pydantic import ValidationError

from contracts.channel.v1 import PaymentReported
from contracts.claims.v1 import ClaimApproved
from contracts.policy.v1 import IssuanceFailed, PolicyIssued, PolicyRenewed, SandboxCleared
from contracts.quote.v1 import ApplicationAccepted, ApplicationExpired, ApplicationWithdrawn
from contracts.topics import ORDER_BYTES_MAX, ServiceName, channel_of, events_topic
from contracts.vocabulary.products import SettlementMethod
from services.billing.domain.commands import (
    BillAdvance,
    BillingCommand,
    BookPayment,
    ClearSandbox,
    PayClaim,
    RefusePayment,
    ReportedPayment,
    ReverseAdvance,
    WritePremium,
)
from services.kernel.messages import Delivery, Instruction, UniqueKey
from services.kernel.routing import route

SOURCES = (events_topic(ServiceName.QUOTE), events_topic(ServiceName.POLICY), events_topic(ServiceName.CLAIMS))
PAYMENT_NUMBERS = "payment_no"
"""Scope of the numbers that channels give to payments: each belongs to one account."""


def stream_of(contract_id: str) -> str:
    """The stream of a contract's account."""
    return f"account-{contract_id}"


def _to(contract_id: str, command: BillingCommand) -> Instruction:
    return Instruction(lane=contract_id, stream=stream_of(contract_id), command=command)


def on_application_accepted(event: ApplicationAccepted) -> Sequence[Instruction]:
    """Bill now what has to be paid before cover; everything else is billed once it is in force."""
    terms = event.terms
    if terms.settlement is not SettlementMethod.PAY_BEFORE_COVER:
        return ()
    return (_to(terms.contract_id, BillAdvance(terms=terms)),)


def on_term_in_force(event: PolicyIssued | PolicyRenewed) -> Sequence[Instruction]:
    """Write the premium of the term."""
    command = WritePremium(policy_no=event.policy_no, term_no=event.term_no, terms=event.terms)
    return (_to(event.terms.contract_id, command),)


def on_issuance_failed(event: IssuanceFailed) -> Sequence[Instruction]:
    """Money taken before cover has to go back."""
    command = ReverseAdvance(contract_id=event.contract_id, channel=event.channel, order_no=event.order_no)
    return (_to(event.contract_id, command),)


def on_application_ended(event: ApplicationWithdrawn | ApplicationExpired) -> Sequence[Instruction]:
    """What was billed before cover is due no longer; it comes behind the acceptance, on the same topic."""
    command = ReverseAdvance(contract_id=event.contract_id, channel=event.channel, order_no=event.order_no)
    return (_to(event.contract_id, command),)


def on_claim_approved(event: ClaimApproved) -> Sequence[Instruction]:
    """Pay the claim out."""
    command = PayClaim(
        contract_id=event.contract_id,
        channel=event.channel,
        claim_no=event.claim_no,
        notice_no=event.notice_no,
        amount_minor=event.approved_minor,
        currency=event.currency,
    )
    return (_to(event.contract_id, command),)


def on_sandbox_cleared(event: SandboxCleared) -> Sequence[Instruction]:
    """Put away here as well what came before it in its partition."""
    command = ClearSandbox(channel=event.channel, lane=event.lane, cleared_by=event.cleared_by, reason=event.reason)
    return (Instruction(lane=event.lane, stream=f"sandbox-{event.lane}", command=command),)


react = route(
    (ApplicationAccepted, on_application_accepted),
    (PolicyIssued, on_term_in_force),
    (PolicyRenewed, on_term_in_force),
    (IssuanceFailed, on_issuance_failed),
    (ApplicationWithdrawn, on_application_ended),
    (ApplicationExpired, on_application_ended),
    (ClaimApproved, on_claim_approved),
    (SandboxCleared, on_sandbox_cleared),
)


def react_to_channel(delivery: Delivery) -> Sequence[Instruction]:
    """Valid payment reports become commands. All else is left to quote, which alone refuses malformed messages."""
    value = delivery.value
    if not value or len(value) > ORDER_BYTES_MAX or not _may_be_payment(value):
        return ()
    try:
        report = PaymentReported.model_validate_json(value, strict=True)
    except ValidationError:
        return ()
    if _names_a_field_twice(value):
        return ()
    return (_to_account(report, channel_of(delivery.topic), delivery.source),)


def _may_be_payment(value: bytes) -> bool:
    # Nearly all messages are orders. JSON may also spell any letter as \u and four digits.
    return b"payment.reported" in value or (b"\\u" in value and b"amount_minor" in value)


def _names_a_field_twice(value: bytes) -> bool:
    # Readers of JSON differ in which of two equal names they take, so quote refuses such a message as not JSON.
    pairs: list[tuple[str, object]] = json.loads(value, object_pairs_hook=list)
    return len(pairs) != len(dict(pairs))


def _to_account(report: PaymentReported, channel: str, source: str) -> Instruction:
    contract_id = report.contract_id(channel)
    content = hashlib.sha256(f"{channel}/{report.model_dump_json()}".encode()).hexdigest()[:32]
    payment = ReportedPayment(
        contract_id=contract_id,
        channel=channel,
        contract_no=report.contract_no,
        book=report.book,
        payment_no=report.payment_no,
        amount_minor=report.amount_minor,
        currency=report.currency,
        paid_at=report.paid_at,
        content=content,
        source=source,
    )
    return Instruction(
        lane=contract_id,
        stream=stream_of(contract_id),
        command=BookPayment(payment=payment),
        unique=UniqueKey(PAYMENT_NUMBERS, f"{channel}/{report.payment_no}"),
        otherwise=Instruction(lane=contract_id, stream=f"payment-{content}", command=RefusePayment(payment=payment)),
    )
