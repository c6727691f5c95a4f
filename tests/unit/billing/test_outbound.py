"""What others and the channel hear of billing's events, and hear again."""

from contracts.billing import v1
from contracts.channel import notices_v1 as notices
from contracts.vocabulary.faults import FaultCode
from contracts.vocabulary.products import PaymentFrequency
from services.billing.domain.commands import RefusePayment, ReverseAdvance
from services.billing.domain.events import (
    AccountOpened,
    BillingEvent,
    PremiumAdvanceReleased,
    PremiumAdvanceReversed,
    PremiumWritten,
)
from services.billing.outbound import repeat, to_wire
from services.kernel.messages import Outgoing
from tests.support.builders import CHANNEL, CONTRACT
from tests.unit.billing.examples import BILLING, advance, history, pay, recorded, reported, write

FIRST_ORDER = v1.PaidOrder(channel=CHANNEL, order_no="O-1")


def _last_out(*commands: object) -> Outgoing:
    out = to_wire(recorded(history(*commands)[-1]))
    assert out is not None
    assert out.key == CONTRACT
    return out


def test_an_invoice_is_told_to_all_and_to_the_channel_that_sold_the_cover() -> None:
    out = _last_out(write())
    assert isinstance(out.event, v1.InvoiceIssued)
    assert out.notice is not None
    assert out.notice.channel == CHANNEL
    assert out.notice.message == notices.InvoiceDue(
        contract_id=CONTRACT,
        order_no="O-1",
        invoice_no="O-1/01",
        amount_minor=14_410,
        currency="EUR",
        due="2026-01-01",
    )


def test_the_payment_of_a_first_instalment_names_the_paid_order() -> None:
    half = {"frequency": PaymentFrequency.HALF_YEARLY}
    first = _last_out(advance(**half), pay(7_205)).event
    assert isinstance(first, v1.PaymentReceived)
    assert (first.invoices, first.paid_orders) == (("O-1/01",), (FIRST_ORDER,))
    second = _last_out(advance(**half), pay(7_205), pay(7_205, "PAY-2")).event
    assert isinstance(second, v1.PaymentReceived)
    assert (second.invoices, second.paid_orders) == (("O-1/02",), ())
    both = _last_out(advance(**half), pay(14_410)).event
    assert isinstance(both, v1.PaymentReceived)
    assert (both.invoices, both.paid_orders) == (("O-1/01", "O-1/02"), (FIRST_ORDER,))


def test_suspended_money_is_told_with_its_reason() -> None:
    out = _last_out(write(), pay(1))
    assert isinstance(out.event, v1.PaymentSuspended)
    assert out.notice is not None
    assert isinstance(out.notice.message, notices.PaymentBooked)
    assert out.notice.message.suspended
    assert out.notice.message.faults[0].code is FaultCode.AMOUNT_MISMATCH


def test_money_that_leaves_suspense_is_a_payment_received() -> None:
    out = _last_out(pay(14_410), advance())
    assert isinstance(out.event, v1.PaymentReceived)
    assert out.event.paid_orders == (FIRST_ORDER,)
    assert out.notice is not None
    assert isinstance(out.notice.message, notices.PaymentBooked)
    assert not out.notice.message.suspended


def test_a_refused_payment_report_is_told_with_its_place() -> None:
    out = _last_out(RefusePayment(payment=reported(14_410)))
    assert isinstance(out.event, v1.PaymentRefused)
    assert out.notice is not None
    assert isinstance(out.notice.message, notices.MessageRefused)
    assert (out.notice.message.source, out.notice.message.reference) == ("orders.shop.v1/0/7", "PAY-1")


def test_bookkeeping_stays_inside() -> None:
    failed = ReverseAdvance(contract_id=CONTRACT, channel=CHANNEL, order_no="O-1")
    events: tuple[BillingEvent, ...] = (*history(advance(), write()), *history(advance(), failed))
    private = (AccountOpened, PremiumWritten, PremiumAdvanceReleased, PremiumAdvanceReversed)
    inside = [event for event in events if to_wire(recorded(event)) is None]
    assert {type(event) for event in inside} == set(private)


def test_a_repeated_payment_report_gets_the_same_notice_again() -> None:
    for commands in ((write(), pay(14_410)), (write(), pay(14_411))):
        told = to_wire(recorded(history(*commands)[-1]))
        assert told is not None
        assert repeat(commands[-1], BILLING.fold(history(*commands))) == told.notice


def test_a_repeated_report_of_money_that_left_suspense_gets_where_it_stands_now() -> None:
    notice = repeat(pay(14_410), BILLING.fold(history(pay(14_410), advance())))
    assert notice is not None
    assert isinstance(notice.message, notices.PaymentBooked)
    assert (notice.message.suspended, notice.message.invoices) == (False, ("O-1/01",))


def test_a_repeated_conflicting_report_is_refused_again() -> None:
    for commands in ((pay(1), pay(2)), (RefusePayment(payment=reported(2)),)):
        told = to_wire(recorded(history(*commands)[-1]))
        assert told is not None
        assert repeat(commands[-1], BILLING.fold(history(*commands))) == told.notice


def test_what_did_not_come_from_a_channel_is_not_told_again() -> None:
    assert repeat(write(), BILLING.fold(history(write()))) is None
