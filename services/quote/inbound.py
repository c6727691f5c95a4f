"""From foreign facts to commands: channel messages, and what became of accepted applications."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from contracts.channel.v1 import (
    Answer,
    CounterOfferAnswered,
    InformationProvided,
    LossReported,
    OrderPlaced,
    PaymentReported,
    WithdrawalRequested,
)
from contracts.policy.v1 import ApplicationReleased, IssuanceFailed, PolicyIssued, PolicyRenewed
from contracts.topics import ServiceName, channel_of, events_topic
from contracts.vocabulary.faults import Fault, FaultCode
from services.kernel.messages import Delivery, FieldFault, Instruction, UniqueKey
from services.kernel.routing import route
from services.quote.catalogue import Catalogue
from services.quote.channel_form import Malformed, read_message
from services.quote.domain.answers.commands import AnswerOrder, RecordRelease
from services.quote.domain.commands import (
    RecordIssue,
    RecordIssueFailure,
    RefuseMessage,
    SubmitApplication,
)
from services.quote.domain.order import ChosenCoverage, Order
from services.quote.domain.underwriting.assessment import ChannelSales
from services.quote.domain.underwriting.commands import (
    ProvideInformation,
    RefuseCounterOffer,
    TakeCounterOffer,
    WithdrawApplication,
)

SOURCES = (events_topic(ServiceName.POLICY),)
TRIAL_SOURCE = "trial"


def application_stream(channel: str, order_no: str, contract_id: str) -> str:
    """The stream of an order's application.

    The contract is part of the name, since it decides the partition: an order number that comes again for
    another contract must be another stream, or it could not be told from the owner of the number.
    """
    identity = "\x1f".join((channel, order_no, contract_id))
    return f"application-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def blacklist_stream(kind: str, subject: str) -> str:
    """The stream of one person's entry in the blacklist; its lane is the stream itself."""
    return f"blacklist-{kind}-{subject[:32]}"


def underwriter_stream(underwriter: str) -> str:
    """The stream of one underwriter; its lane is the stream itself."""
    return f"underwriter-{hashlib.sha256(underwriter.encode()).hexdigest()[:32]}"


def product_stream(code: str) -> str:
    """The stream of all versions of a product; its lane is the code itself."""
    return f"product-{code}"


class QuoteInbound:
    """Quote's reaction to channels; prices with the products of `catalogue`."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def react_to_channel(self, delivery: Delivery) -> Sequence[Instruction]:
        """An order or an answer to its application; malformed messages of any type to a refusal.

        Raises ValueError for a topic that is no channel's.
        """
        channel = channel_of(delivery.topic)
        message = read_message(delivery.value)
        match message:
            case OrderPlaced():
                return (self._submit(message, channel, delivery),)
            case CounterOfferAnswered() | InformationProvided() | WithdrawalRequested():
                return (_answer(message, channel, delivery.source),)
            case PaymentReported() | LossReported():
                return ()
            case Malformed():
                return (_refuse(message, channel, delivery),)
            case _:
                assert_never(message)

    def on_trial(self, channel: str, value: bytes) -> SubmitApplication | Malformed:
        """What the bytes of an order would ask for, were a channel to place it; nothing is asked for."""
        message = read_message(value)
        match message:
            case OrderPlaced():
                # A trial uses up nothing of what a channel may sell, and is not held against it.
                return replace(self._application(message, channel, TRIAL_SOURCE), sales=ChannelSales())
            case Malformed():
                return message
            case _:
                text = f"only an order has a price; send one of type order.placed, not {message.type}"
                return Malformed((Fault(code=FaultCode.UNKNOWN_SCHEMA, path="type", message=text),))

    def _submit(self, message: OrderPlaced, channel: str, delivery: Delivery) -> Instruction:
        command = self._application(message, channel, delivery.source)
        return Instruction(
            lane=command.contract_id,
            stream=application_stream(channel, message.order_no, command.contract_id),
            command=command,
            unique=UniqueKey("order_no", f"{channel}/{message.order_no}"),
            otherwise=_number_reused(message, channel, delivery),
        )

    def _application(self, message: OrderPlaced, channel: str, source: str) -> SubmitApplication:
        order, contract_id = _order(message), message.contract_id(channel)
        offer = self._catalogue.find(order.product, order.placed_at.date(), channel, order.region, contract_id)
        return SubmitApplication(
            channel=channel,
            contract_id=contract_id,
            source=source,
            order=order,
            product=offer.product,
            renewal=offer.renewal,
        )


def _order(message: OrderPlaced) -> Order:
    # The contract's own number is the order's unless given: both ways of saying it are one content.
    return Order(
        order_no=message.order_no,
        contract_no=message.contract_no or message.order_no,
        book=message.book,
        product=message.product,
        placed_at=message.placed_at,
        effective=message.effective,
        currency=message.currency,
        premium_minor=message.premium_minor,
        coverages=tuple(
            ChosenCoverage(
                code=chosen.code,
                premium_minor=chosen.premium_minor,
                sum_insured_minor=chosen.sum_insured_minor,
            )
            for chosen in message.coverages
        ),
        frequency=message.frequency,
        risk=message.risk,
        policyholder_name=message.policyholder_name,
        policyholder_id=message.policyholder_id,
        campaign=message.campaign,
        disclosures=message.disclosures,
        evidence=message.evidence,
        expiry=message.expiry,
        region=message.region,
    )


def _answer(message: Answer, channel: str, source: str) -> Instruction:
    contract_id = message.contract_id(channel)
    command = AnswerOrder(
        channel=channel,
        contract_id=contract_id,
        order_no=message.order_no,
        source=source,
        message_type=message.type,
        content_digest=hashlib.sha256(message.model_dump_json().encode()).hexdigest()[:32],
        answered_at=message.answered_at,
        step=_step(message, message.answered_by or channel),
    )
    # In the lane of its order: behind it, and behind whatever of its contract waits for a person.
    stream = application_stream(channel, message.order_no, contract_id)
    return Instruction(lane=contract_id, stream=stream, command=command)


def _step(
    message: Answer, who: str
) -> TakeCounterOffer | RefuseCounterOffer | ProvideInformation | WithdrawApplication:
    match message:
        case CounterOfferAnswered(answer="taken"):
            return TakeCounterOffer(order_no=message.order_no, taken_by=who, taken_on=message.answered_at.date())
        case CounterOfferAnswered():
            return RefuseCounterOffer(order_no=message.order_no, refused_by=who)
        case InformationProvided():
            return ProvideInformation(order_no=message.order_no, provided_by=who, answer=message.answer)
        case WithdrawalRequested():
            return WithdrawApplication(order_no=message.order_no, withdrawn_by=who, reason=message.reason)
        case _:
            assert_never(message)


def _number_reused(message: OrderPlaced, channel: str, delivery: Delivery) -> Instruction:
    text = (
        f"order {message.order_no} was placed before for another contract, and the first order stands; "
        "send a different order under a number of its own"
    )
    fault = Fault(code=FaultCode.ORDER_NUMBER_REUSED, path="order_no", message=text)
    return _refuse(Malformed((fault,), message.type, message.order_no), channel, delivery)


def _refuse(message: Malformed, channel: str, delivery: Delivery) -> Instruction:
    digest = hashlib.sha256(delivery.topic.encode() + b"\x1f" + (delivery.value or b"")).hexdigest()[:32]
    stream = f"intake-{digest}"
    return Instruction(
        lane=stream,
        stream=stream,
        command=RefuseMessage(
            channel=channel,
            source=delivery.source,
            message_type=message.message_type,
            reference=message.reference,
            content_digest=digest,
            faults=message.faults,
        ),
        dead_letter=message.faults[0].code,
        faults=tuple(FieldFault(fault.code, fault.path, fault.message) for fault in message.faults),
    )


def on_cover_in_force(event: PolicyIssued | PolicyRenewed) -> Sequence[Instruction]:
    """The application has become a policy term."""
    terms = event.terms
    command = RecordIssue(
        channel=terms.channel,
        contract_id=terms.contract_id,
        order_no=terms.order_no,
        policy_no=event.policy_no,
        renewal=isinstance(event, PolicyRenewed),
        period=terms.period,
    )
    return (_to_application(command),)


def on_issuance_failed(event: IssuanceFailed) -> Sequence[Instruction]:
    """The application ended without a policy."""
    command = RecordIssueFailure(
        channel=event.channel, contract_id=event.contract_id, order_no=event.order_no, faults=event.faults
    )
    return (_to_application(command),)


def on_application_released(event: ApplicationReleased) -> Sequence[Instruction]:
    """Policy has not issued the application and never will, as it was asked."""
    command = RecordRelease(channel=event.channel, contract_id=event.contract_id, order_no=event.order_no)
    return (_to_application(command),)


def _to_application(command: RecordIssue | RecordIssueFailure | RecordRelease) -> Instruction:
    stream = application_stream(command.channel, command.order_no, command.contract_id)
    return Instruction(lane=command.contract_id, stream=stream, command=command)


react = route(
    (PolicyIssued, on_cover_in_force),
    (PolicyRenewed, on_cover_in_force),
    (IssuanceFailed, on_issuance_failed),
    (ApplicationReleased, on_application_released),
)
