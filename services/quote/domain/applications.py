"""The rules of an application: decided once on the first order under its number, then followed to its end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.products import CoverageTerms, CoverTerms
from contracts.vocabulary.time import CoverPeriod, add_months
from services.kernel.errors import CommandRefused, CorruptHistory
from services.quote.domain import channel_answers, referrals, releases
from services.quote.domain.answers.commands import AnswerOrder, RecordRelease
from services.quote.domain.answers.events import AnswerReceived, AnswerRefused, ReleaseRequested
from services.quote.domain.checks import (
    coverages_bought,
    plan_faults,
    sale_faults,
    sum_insured,
    underwriting_faults,
    unknown_product,
)
from services.quote.domain.commands import (
    ApplicationCommand,
    RecordIssue,
    RecordIssueFailure,
    SubmitApplication,
)
from services.quote.domain.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationEvent,
    ApplicationIssued,
    ApplicationNotIssued,
    ApplicationSubmitted,
    OrderConflicted,
    PremiumRated,
)
from services.quote.domain.order import ChosenCoverage
from services.quote.domain.plan_checks import insured_faults
from services.quote.domain.pricing import price
from services.quote.domain.products import subjects_of
from services.quote.domain.products.disclosures import declared
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.state import Application, NothingYet
from services.quote.domain.underwriting.assessment import Assessment, assess
from services.quote.domain.underwriting.commands import REFERRAL_COMMANDS
from services.quote.domain.underwriting.events import ApplicationAssessed, UnderwritingEvent
from services.quote.domain.verdicts import decline_faults, declined, only_rates_missing, other_terms, unpriced, verdict


def decide(command: ApplicationCommand, state: Application | NothingYet) -> Sequence[ApplicationEvent]:
    """What happens on a command about an application."""
    if isinstance(command, REFERRAL_COMMANDS):
        return referrals.decide(command, state)
    match command:
        case SubmitApplication():
            return _submit(command) if isinstance(state, NothingYet) else _submit_again(command, state)
        case RecordIssue() | RecordIssueFailure():
            return _record_end(command, state)
        case RecordRelease():
            return releases.record(command, state)
        case AnswerOrder():
            return channel_answers.decide(command, state)
        case _:
            assert_never(command)


def _submit(command: SubmitApplication) -> list[ApplicationEvent]:
    order, product = command.order, command.product
    submitted = ApplicationSubmitted(
        channel=command.channel,
        contract_id=command.contract_id,
        source=command.source,
        product_version=None if product is None else product.document.version,
        order=order,
    )
    if product is None:
        return [submitted, declined(command, (unknown_product(order),))]
    faults = [*sale_faults(order, command.channel, product, renewal=command.renewal), *plan_faults(order, product)]
    subjects = declared(subjects_of(order.risk, order.effective), order.disclosures)
    assessment = Assessment((), {})
    # A risk of another line has none of the facts that the product asks for; that it is of another line says it all.
    if order.risk.line == product.document.line:
        faults += insured_faults(order, subjects, product)
        faults += underwriting_faults(subjects, product)
        assessment = assess(order, command.channel, product, subjects, command.customer, command.sales)
        faults += decline_faults(assessment)
    first: list[ApplicationEvent] = [submitted, *_assessed(command, product, assessment)]
    if faults:
        return [*first, declined(command, tuple(faults))]
    priced = price(order, product, subjects)
    if priced.rated is None:
        if not only_rates_missing(priced):
            return [*first, declined(command, priced.faults)]
        bought = tuple(_unrated(chosen, product) for chosen in coverages_bought(order, product.document))
        return [*first, _payable(unpriced(product, priced, assessment, _terms(command, product, bought)), command)]
    other = other_terms(order, product, subjects, assessment, priced)
    if other.loaded.rated is None:
        return [*first, declined(command, other.loaded.faults)]
    rated = PremiumRated(
        channel=command.channel,
        contract_id=command.contract_id,
        order_no=order.order_no,
        currency=order.currency,
        premium_minor=sum(coverage.premium_minor for coverage in other.loaded.rated),
        coverages=other.loaded.rated,
        working=other.loaded.working,
        census=other.loaded.census,
    )
    terms = _terms(command, product, priced.agreed or priced.rated)
    return [*first, rated, _payable(verdict(command, product, priced, other, assessment, terms), command)]


def _payable(event: ApplicationEvent, command: SubmitApplication) -> ApplicationEvent:
    days = None if command.product is None else command.product.document.pay_within_days
    return releases.with_payment_terms(event, days, command.order.placed_at.date())


def _assessed(
    command: SubmitApplication, product: ProductVersion, assessment: Assessment
) -> Iterator[ApplicationAssessed]:
    if assessment.fired or product.underwriting.rules:
        yield ApplicationAssessed(
            channel=command.channel,
            contract_id=command.contract_id,
            order_no=command.order.order_no,
            product_code=product.document.code,
            product_version=product.document.version,
            fired=assessment.fired,
            figures=assessment.figures,
        )


def _unrated(chosen: ChosenCoverage, product: ProductVersion) -> CoverageTerms:
    insured_minor = sum_insured(chosen, product.plan[chosen.code])
    return CoverageTerms(code=chosen.code, premium_minor=chosen.premium_minor or 0, sum_insured_minor=insured_minor)


def _terms(command: SubmitApplication, product: ProductVersion, coverages: tuple[CoverageTerms, ...]) -> CoverTerms:
    order, document = command.order, product.document
    return CoverTerms(
        contract_id=command.contract_id,
        channel=command.channel,
        order_no=order.order_no,
        contract_no=order.contract_no,
        book=order.book,
        product_code=document.code,
        product_version=document.version,
        line=document.line,
        period=CoverPeriod(
            effective=order.effective,
            expiry=order.expiry or add_months(order.effective, document.term_months),
        ),
        currency=order.currency,
        coverages=coverages,
        premium_minor=sum(coverage.premium_minor for coverage in coverages),
        settlement=document.settlement,
        frequency=order.frequency,
        split=document.split,
        straight_through_claim_minor=document.straight_through_claim_minor,
        coinsurance=None if document.coinsurance is None else document.coinsurance.terms(),
        wording=None if document.wording is None else document.wording.reference(document.code),
    )


def _submit_again(command: SubmitApplication, state: Application) -> list[ApplicationEvent]:
    order = command.order
    if order == state.order or order.digest() in state.conflicts:
        return []
    faults = tuple(
        Fault(
            code=FaultCode.ORDER_NUMBER_REUSED,
            path=name,
            message=f"order {order.order_no} was placed before with another {name}, and the first order stands; "
            "send a different order under a number of its own",
        )
        for name in state.order.differences(order)
    )
    return [
        OrderConflicted(
            channel=command.channel,
            contract_id=command.contract_id,
            order_no=order.order_no,
            source=command.source,
            content_digest=order.digest(),
            faults=faults,
        )
    ]


def _record_end(command: RecordIssue | RecordIssueFailure, state: Application | NothingYet) -> list[ApplicationEvent]:
    outcome = None if isinstance(state, NothingYet) else state.outcome
    if isinstance(outcome, ApplicationIssued | ApplicationNotIssued):
        return []
    if not isinstance(outcome, ApplicationAccepted):
        raise CommandRefused(
            "application_not_accepted", f"order {command.order_no} of {command.channel} was never accepted here"
        )
    if isinstance(command, RecordIssueFailure):
        return [
            ApplicationNotIssued(
                channel=command.channel,
                contract_id=command.contract_id,
                order_no=command.order_no,
                faults=command.faults,
                accepted=outcome.terms,
                placed_on=outcome.placed_on,
            )
        ]
    issued = [
        ApplicationIssued(
            channel=command.channel,
            contract_id=command.contract_id,
            order_no=command.order_no,
            policy_no=command.policy_no,
            renewal=command.renewal,
            period=command.period,
        )
    ]
    return [*issued, *(releases.too_late(state, command.policy_no) if isinstance(state, Application) else ())]


def evolve(state: Application | NothingYet, event: ApplicationEvent) -> Application | NothingYet:
    """What is true of an application after an event."""
    if isinstance(event, ApplicationSubmitted):
        return Application(order=event.order)
    if isinstance(event, AnswerReceived | AnswerRefused):
        return channel_answers.evolve(state, event)
    if isinstance(state, NothingYet):
        raise CorruptHistory(f"{event.event_type} before the application was submitted")
    if isinstance(event, UnderwritingEvent):
        return referrals.evolve(state, event)
    match event:
        case PremiumRated():
            return state
        case ReleaseRequested():
            return releases.evolve(state, event)
        case ApplicationAccepted() | ApplicationDeclined() | ApplicationIssued() | ApplicationNotIssued():
            return replace(state, outcome=event)
        case OrderConflicted():
            return replace(state, conflicts={**state.conflicts, event.content_digest: event})
        case _:
            assert_never(event)
