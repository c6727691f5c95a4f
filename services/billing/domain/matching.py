"""Which open invoices a sum of money settles: all of it to the minor unit, or none."""

from collections.abc import Sequence

from services.billing.domain.events import InvoiceIssued, SettledInvoice
from services.kernel.errors import CorruptHistory


def invoices_settled(
    open_invoices: Sequence[InvoiceIssued], amount_minor: int, currency: str
) -> Sequence[InvoiceIssued]:
    """One open invoice of exactly this amount (the oldest such), else the oldest ones that add up to it, else none.

    The oldest invoice is the one due first; among invoices due on the same day, the one issued first.
    """
    oldest_first = sorted(
        (invoice for invoice in open_invoices if invoice.currency == currency), key=lambda invoice: invoice.due
    )
    for invoice in oldest_first:
        if invoice.amount_minor == amount_minor:
            return (invoice,)
    total = 0
    for place, invoice in enumerate(oldest_first, 1):
        total += invoice.amount_minor
        if total == amount_minor:
            return oldest_first[:place]
        if total > amount_minor:
            break
    return ()


def closed(invoices: Sequence[InvoiceIssued]) -> tuple[SettledInvoice, ...]:
    """The invoices as an event that closes them names them."""
    return tuple(
        SettledInvoice(
            channel=invoice.channel,
            order_no=invoice.order_no,
            invoice_no=invoice.invoice_no,
            instalment_no=invoice.instalment_no,
            amount_minor=invoice.amount_minor,
        )
        for invoice in invoices
    )


def without(open_invoices: Sequence[InvoiceIssued], settled: Sequence[SettledInvoice]) -> tuple[InvoiceIssued, ...]:
    """What stays open. Raises CorruptHistory where a settled invoice was not open."""
    gone = {(invoice.channel, invoice.invoice_no) for invoice in settled}
    left = tuple(invoice for invoice in open_invoices if (invoice.channel, invoice.invoice_no) not in gone)
    if len(left) + len(gone) != len(open_invoices):
        raise CorruptHistory(f"not all of {sorted(gone)} were open")
    return left
