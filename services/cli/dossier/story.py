"""The events of a dossier as they are told: content parsed, amounts in words, one sentence for each event."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.vocabulary.money import format_minor
from services.cli.dossier.document import Dossier
from services.kernel.proof.extract import ExtractedEvent


@dataclass(frozen=True, slots=True)
class Happening:
    """An event with its parsed content. Read as plain JSON: a dossier may be younger or older than this program."""

    service: str
    event: ExtractedEvent
    content: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The event's type."""
        return self.event.type

    @property
    def recorded(self) -> str:
        """When we learnt it."""
        return moment(self.event.recorded_at)


def happenings(dossier: Dossier) -> list[Happening]:
    """All events in the order in which they were recorded."""
    order = {part.service: place for place, part in enumerate(dossier.parts)}
    told = [Happening(part.service, event, _content(event)) for part in dossier.parts for event in part.events]
    return sorted(told, key=lambda one: (one.event.recorded_at, order[one.service], one.event.position))


def _content(event: ExtractedEvent) -> Mapping[str, Any]:
    try:
        found = json.loads(event.data)
    except ValueError:
        return {"unreadable": event.data}
    return found if isinstance(found, dict) else {"content": found}


def of_type(told: Iterable[Happening], *types: str) -> list[Happening]:
    """Those of these types."""
    return [one for one in told if one.type in types]


def moment(value: object) -> str:
    """A moment in UTC; what is none is shown as it is."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at.tzinfo else str(value)


def money(amount_minor: object, currency: object) -> str:
    """An amount with its currency; what is none is shown as it is."""
    if not isinstance(amount_minor, int) or isinstance(amount_minor, bool) or not isinstance(currency, str):
        return "" if amount_minor is None else str(amount_minor)
    try:
        return f"{format_minor(amount_minor, currency)} {currency}"
    except ValueError:
        return f"{amount_minor} minor units of {currency}"


def period(content: Mapping[str, Any]) -> str:
    """The days of cover of terms or of an event."""
    found = content.get("period") or {}
    return f"{found.get('effective')} to {found.get('expiry')} (first day without cover)" if found else ""


def reasons(faults: Sequence[Mapping[str, Any]] | None) -> str:
    """What was found wrong, in sentences."""
    return "; ".join(f"{fault.get('message') or fault.get('code')} [{fault.get('code')}]" for fault in faults or ())


_SENTENCES = {
    "quote.product_published": "Version {product_version} of product {product_code} was put on sale from "
    "{on_sale_from}.",
    "quote.product_drafted": "Version {product_version} of product {product_code} was drafted by {by}: {why}.",
    "quote.product_approved": "Version {product_version} of product {product_code} was approved by {by}: {why}.",
    "quote.sandbox_opened": "Version {product_version} of product {product_code} was put into the sandbox by {by}: "
    "{why}.",
    "quote.product_closed": "Version {product_version} of product {product_code} was closed to new business by {by}: "
    "{why}.",
    "quote.product_withdrawn": "Version {product_version} of product {product_code} was withdrawn from sale: {reason}.",
    "quote.application_submitted": "Order {order.order_no} of channel {channel} became an application, placed at "
    "{order.placed_at!m}.",
    "quote.premium_rated": "The premium was worked out: {premium_minor!a}.",
    "quote.application_accepted": "The application was accepted at {terms.premium_minor!a}.",
    "quote.application_declined": "The application was declined: {faults!r}.",
    "quote.order_conflicted": "The number of order {order_no} came again with other content: {faults!r}.",
    "quote.application_issued": "The application ended in policy {policy_no}.",
    "quote.application_not_issued": "The accepted application was not put in force: {faults!r}.",
    "policy.payment_awaited": "The terms of order {terms.order_no} wait for their premium.",
    "policy.payment_confirmed": "The premium of order {order_no} had come.",
    "policy.issued": "Policy {policy_no} was issued, term {term_no}.",
    "policy.renewed": "The contract was renewed as policy {policy_no}, term {term_no}.",
    "policy.issuance_failed": "Order {order_no} could not be put in force: {faults!r}.",
    "account.opened": "The contract's account was opened in {currency}.",
    "premium.written": "The premium of policy {policy_no} was written: {premium_minor!a}.",
    "invoice.issued": "Instalment {instalment_no} of {instalments}, {amount_minor!a}, was invoiced as {invoice_no}, "
    "due on {due}.",
    "premium_advance.released": "The advance of {amount_minor!a} became premium.",
    "premium_advance.reversed": "Invoices of order {order_no} were dropped; {refundable_minor!a} is owed back.",
    "payment.received": "Payment {payment_no} of {amount_minor!a} settled what was invoiced.",
    "payment.suspended": "Payment {payment_no} of {amount_minor!a} was kept in suspense: {faults!r}.",
    "suspense.matched": "Payment {payment_no} of {amount_minor!a}, kept until then, settled an invoice.",
    "payment.refused": "A report of payment {payment_no} was refused: {faults!r}.",
    "claim.paid": "{amount_minor!a} was paid out on claim {claim_no}.",
    "cover.registered": "Claims took note of the cover of policy {policy_no}.",
    "claim.reported": "A loss of {loss_date} was reported under notice {notice_no}; it became claim {claim_no}, "
    "{claimed_minor!a}.",
    "claim.adjudicated": "Claim {claim_no} was adjudicated: {payable_minor!a} is payable.",
    "claim.reserve_changed": "The sum still expected on claim {claim_no} is now {outstanding_minor!a}.",
    "claim.approved": "Claim {claim_no} was approved with {approved_minor!a}{approved_by!b}.",
    "claim.declined": "Claim {claim_no} was declined{declined_by!b}.",
    "claim.payment_recorded": "Claims took note of the payment of {paid_minor!a} on claim {claim_no}.",
    "claim.closed": "Claim {claim_no} was closed ({kind}).",
    "loss_notice.refused": "Loss notice {notice_no} was refused: {faults!r}.",
}


def sentence(one: Happening) -> str:
    """What happened, in one sentence; an event that this program does not know is told by its type and fields."""
    template = _SENTENCES.get(one.type)
    if template is None:
        said = ", ".join(
            f"{name.replace('_', ' ')} {value}"
            for name, value in one.content.items()
            if isinstance(value, str | int) and name != "contract_id"
        )
        return f"{one.type.replace('.', ': ').replace('_', ' ')} ({said})"
    return "".join(_filled(one.content, template))


def _filled(content: Mapping[str, Any], template: str) -> Iterable[str]:
    for place, piece in enumerate(template.replace("}", "{").split("{")):
        if place % 2 == 0:
            yield piece
            continue
        name, _, form = piece.partition("!")
        value: Any = content
        currency = content.get("currency")
        for step in name.split("."):
            within = value if isinstance(value, Mapping) else {}
            currency, value = within.get("currency", currency), within.get(step)
        if form == "a":
            yield money(value, currency)
        elif form == "m":
            yield moment(value)
        elif form == "r":
            yield reasons(value)
        elif form == "b":
            yield f" by {value}" if value else " without a person, by rule"
        else:
            yield "-" if value is None else str(value)
