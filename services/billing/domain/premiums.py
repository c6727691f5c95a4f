"""Rules of billing: instalments of a term, before cover or once it is in force, and their reversal."""

from contracts.vocabulary.identifiers import invoice_number
from contracts.vocabulary.money import instalments
from contracts.vocabulary.products import CoverTerms
from contracts.vocabulary.time import add_months
from services.billing.domain import ledger
from services.billing.domain.commands import BillAdvance, ReverseAdvance, WritePremium
from services.billing.domain.events import (
    AccountOpened,
    BillingEvent,
    InvoiceIssued,
    PremiumAdvanceReleased,
    PremiumAdvanceReversed,
    PremiumWritten,
)
from services.billing.domain.matching import closed
from services.billing.domain.payments import match_suspense
from services.billing.domain.state import AccountState, OrderStage, numbered
from services.kernel.errors import CommandRefused

_MONTHS_A_YEAR = 12


def bill_advance(command: BillAdvance, state: AccountState) -> list[BillingEvent]:
    """Bill an order before its cover; only once, and never after the cover itself was billed."""
    terms = command.terms
    if numbered(terms.channel, terms.order_no) in state.orders:
        return []
    return [*_opening(terms, state), *_bill(terms, state, before_cover=True)]


def write_premium(command: WritePremium, state: AccountState) -> list[BillingEvent]:
    """Write the premium of a term in force; bill it, or release the advance that was billed for it.

    Raises CommandRefused where the advance differs from the premium or was reversed: both would leave the
    advance account with a balance that belongs to nobody.
    """
    terms = command.terms
    order = state.orders.get(numbered(terms.channel, terms.order_no))
    if order is None:
        return [*_opening(terms, state), _written(command), *_bill(terms, state, before_cover=False)]
    if order.stage is OrderStage.WRITTEN:
        return []
    if order.stage is OrderStage.REVERSED:
        raise CommandRefused("advance_reversed", f"order {terms.order_no} was reported as not issued before")
    if order.advance_minor != terms.premium_minor:
        raise CommandRefused(
            "advance_differs",
            f"order {terms.order_no} was billed {order.advance_minor} before cover, and issued at "
            f"{terms.premium_minor} minor units of {terms.currency}",
        )
    released = PremiumAdvanceReleased(
        contract_id=terms.contract_id,
        channel=terms.channel,
        order_no=terms.order_no,
        amount_minor=terms.premium_minor,
        currency=terms.currency,
        postings=ledger.advance_released(terms.premium_minor, terms.split),
    )
    return [_written(command), released]


def reverse_advance(command: ReverseAdvance, state: AccountState) -> list[BillingEvent]:
    """Drop what is open of an order that was not issued, and owe back what was paid for it."""
    order = state.orders.get(numbered(command.channel, command.order_no))
    # Orders with cover first are not billed before they are issued, so their failure leaves nothing to undo.
    if order is None or order.stage is not OrderStage.ADVANCE:
        return []
    still_open = [
        invoice
        for invoice in state.open_invoices
        if invoice.channel == command.channel and invoice.order_no == command.order_no
    ]
    open_minor = sum(invoice.amount_minor for invoice in still_open)
    refundable_minor = order.advance_minor - open_minor
    return [
        PremiumAdvanceReversed(
            contract_id=command.contract_id,
            channel=command.channel,
            order_no=command.order_no,
            cancelled=closed(still_open),
            refundable_minor=refundable_minor,
            currency=order.currency,
            postings=ledger.advance_reversed(open_minor, refundable_minor),
        )
    ]


def _opening(terms: CoverTerms, state: AccountState) -> list[AccountOpened]:
    if state.opened:
        return []
    opened = AccountOpened(
        contract_id=terms.contract_id,
        channel=terms.channel,
        contract_no=terms.contract_no,
        book=terms.book,
        currency=terms.currency,
    )
    return [opened]


def _written(command: WritePremium) -> PremiumWritten:
    terms = command.terms
    return PremiumWritten(
        contract_id=terms.contract_id,
        channel=terms.channel,
        contract_no=terms.contract_no,
        book=terms.book,
        order_no=terms.order_no,
        policy_no=command.policy_no,
        term_no=command.term_no,
        product_code=terms.product_code,
        product_version=terms.product_version,
        line=terms.line,
        period=terms.period,
        currency=terms.currency,
        premium_minor=terms.premium_minor,
        coverages=terms.coverages,
        split=terms.split,
        shares=ledger.shares_of(terms.premium_minor, terms.split),
    )


def _bill(terms: CoverTerms, state: AccountState, *, before_cover: bool) -> list[BillingEvent]:
    invoices = _invoices(terms, before_cover=before_cover)
    if not state.suspended:
        return [*invoices]
    payable = (*state.open_invoices, *(invoice for invoice in invoices if invoice.amount_minor))
    return [*invoices, *match_suspense(state.suspended, payable)]


def _invoices(terms: CoverTerms, *, before_cover: bool) -> list[InvoiceIssued]:
    count = terms.frequency.instalments
    invoices: list[InvoiceIssued] = []
    billed_minor = 0
    for place, amount_minor in enumerate(instalments(terms.premium_minor, count)):
        entry = (
            ledger.advance_billed(amount_minor)
            if before_cover
            else ledger.premium_billed(billed_minor, amount_minor, terms.split)
        )
        billed_minor += amount_minor
        invoices.append(
            InvoiceIssued(
                contract_id=terms.contract_id,
                channel=terms.channel,
                order_no=terms.order_no,
                invoice_no=invoice_number(terms.order_no, place + 1),
                instalment_no=place + 1,
                instalments=count,
                frequency=terms.frequency,
                amount_minor=amount_minor,
                currency=terms.currency,
                due=add_months(terms.period.effective, place * _MONTHS_A_YEAR // count),
                before_cover=before_cover,
                postings=entry,
            )
        )
    return invoices
