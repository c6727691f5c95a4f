"""What a change of a group's census within the term costs: joiners, leavers and swaps, decided and not recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeAlias

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.lines.group import GroupMember, GroupRisk
from contracts.vocabulary.money import unearned
from contracts.vocabulary.time import add_months
from services.quote.domain.checks import coverages_bought, plan_faults, underwriting_faults
from services.quote.domain.form import at_most
from services.quote.domain.order import Order
from services.quote.domain.plan_checks import insured_faults, relation_faults
from services.quote.domain.pricing import insured, rating_of
from services.quote.domain.products import subjects_of
from services.quote.domain.products.cover import covered, each_covered
from services.quote.domain.products.disclosures import declared
from services.quote.domain.products.document import TariffPricing
from services.quote.domain.products.group_change import JOINS, LEAVES, CensusChange, Joiner, Leaver, change_faults
from services.quote.domain.products.group_checks import class_faults
from services.quote.domain.products.group_terms import GroupTerms, joins_later
from services.quote.domain.products.rating.leaving import MemberTerm, given_back
from services.quote.domain.products.rules import FactValue, Subject
from services.quote.domain.products.tariff import RatedStep
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.underwriting.assessment import UNKNOWN_CUSTOMER, assess

_JOINED = "joiners"

Kind: TypeAlias = Literal["joins", "leaves", "replaces", "replaced"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberItem:
    """What one member's change costs: `amount_minor` is owed by the employer, or below zero given back.

    `premium_minor` is what the member costs for the whole term; `origin` says how the amount follows from it.
    """

    kind: Kind
    member_no: str
    cover_class: str
    premium_minor: int
    amount_minor: int
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusChangeTrial:
    """Every fault, or the price of a change: each member's item, and the sum in minor units of `currency`.

    The employer owes `amount_minor`; below zero it is given back. `working` has the steps to each member's premium.
    """

    faults: tuple[Fault, ...]
    product: str
    product_version: int
    currency: str
    effective: date
    days_left: int | None = None
    term_days: int | None = None
    items: tuple[MemberItem, ...] = ()
    joiners_minor: int | None = None
    leavers_minor: int | None = None
    amount_minor: int | None = None
    working: tuple[RatedStep, ...] = ()


@dataclass(frozen=True, slots=True)
class _Contract:
    """A group order under its product version, and the change that is tried."""

    order: Order
    risk: GroupRisk
    product: ProductVersion
    group: GroupTerms
    change: CensusChange
    expiry: date

    @property
    def term_days(self) -> int:
        return (self.expiry - self.order.effective).days

    @property
    def days_left(self) -> int:
        return (self.expiry - self.change.effective).days


def try_change(order: Order, channel: str, product: ProductVersion, change: CensusChange) -> CensusChangeTrial:
    """What the change costs under the version that the order was, or would be, sold under; or all that is wrong."""
    document, group = product.document, product.document.group
    if group is None or not isinstance(order.risk, GroupRisk):
        message = f"{document.code} insures {document.line} risks, this one is {order.risk.line}; a census is a group's"
        return _faulty(product, change, [Fault(code=FaultCode.WRONG_LINE, path="risk.line", message=message)])
    expiry = order.expiry or add_months(order.effective, document.term_months)
    contract = _Contract(order, order.risk, product, group, change, expiry)
    subjects = declared(subjects_of(order.risk, order.effective), order.disclosures)
    joiners = _joiners(contract, subjects)
    faults = [*plan_faults(order, product), *insured_faults(order, subjects, product)]
    faults += [
        *change_faults(change, order.risk.members, group, order.effective, expiry),
        *_joiner_faults(contract, channel, joiners),
    ]
    if not isinstance(document.pricing, TariffPricing):
        message = f"{document.code} is sold as quoted, so nothing tells what one member costs; ask the seller"
        faults.append(Fault(code=FaultCode.NO_RATE, path="product", message=message))
    return _faulty(product, change, faults) if faults else _priced(contract, subjects, joiners)


def _faulty(product: ProductVersion, change: CensusChange, faults: Sequence[Fault]) -> CensusChangeTrial:
    document = product.document
    return CensusChangeTrial(
        faults=at_most(faults),
        product=document.code,
        product_version=document.version,
        currency=document.currency,
        effective=change.effective,
    )


def _joiners(contract: _Contract, subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """Those who join as subjects of the order: rated for the group as it was on its first day."""
    effective = contract.change.effective
    members = tuple(joiner.model_copy(update={"joins": effective}) for joiner in contract.change.joins)
    risk = contract.risk.model_copy(update={"members": members})
    headcount = subjects[0].facts["headcount"]
    found = declared(subjects_of(risk, contract.order.effective), contract.order.disclosures)
    return tuple(
        _alone(subject, f"{JOINS}.{place}", effective, headcount=headcount) for place, subject in enumerate(found)
    )


def _alone(subject: Subject, path: str, effective: date, **facts: FactValue) -> Subject:
    """A subject of one head that is priced beside the census and adds nothing to it."""
    return replace(subject, path=path, facts={**subject.facts, **facts}, count=0, joiners=((effective, 1),))


def _joiner_faults(contract: _Contract, channel: str, joiners: tuple[Subject, ...]) -> Iterator[Fault]:
    product = contract.product
    yield from class_faults(contract.group, joiners)
    if product.document.plan.dependants is not None:
        yield from relation_faults(product.document.plan.dependants, joiners, one_self=False)
    yield from underwriting_faults(joiners, product)
    paths = {subject.path for subject in joiners}
    for rule in assess(contract.order, channel, product, joiners, UNKNOWN_CUSTOMER).fired:
        if rule.path in paths and rule.outcome != "accept":
            after = "" if rule.outcome == "decline" else "; an underwriter decides on this member"
            message = f"{rule.reason_en} ({rule.code}){after}"
            yield Fault(code=FaultCode.RISK_NOT_ACCEPTED, path=rule.path, message=message)


def _priced(contract: _Contract, subjects: tuple[Subject, ...], joiners: tuple[Subject, ...]) -> CensusChangeTrial:
    order, product, change = contract.order, contract.product, contract.change
    bought = coverages_bought(order, product.document)
    places = {member.member_no: place for place, member in enumerate(contract.risk.members)}
    leavers = tuple(
        _alone(subjects[places[leaver.member_no]], f"{LEAVES}.{place}", change.effective)
        for place, leaver in enumerate(change.leaves)
    )
    group = covered(subjects, insured(bought, product), product)
    alone = each_covered((*joiners, *leavers), insured(bought, product), product)
    rating = rating_of(order, product, bought, (*group, *alone))
    if rating.faults:
        return _faulty(product, change, rating.faults)
    premiums = [rating.heads_minor[len(group) + place] for place in range(len(alone))]
    successors = {joiner.replaces: joiner.member_no for joiner in change.joins}
    items = (
        *(_joins(contract, joiner, each) for joiner, each in zip(change.joins, premiums, strict=False)),
        *(
            _leaves(
                contract,
                leaver,
                contract.risk.members[places[leaver.member_no]],
                each,
                successors.get(leaver.member_no),
            )
            for leaver, each in zip(change.leaves, premiums[len(joiners) :], strict=True)
        ),
    )
    owed = sum(item.amount_minor for item in items if item.kind == "joins")
    returned = -sum(item.amount_minor for item in items if item.kind == "leaves")
    shown = {subject.path for subject in alone} | {""}
    return replace(
        _faulty(product, change, ()),
        days_left=contract.days_left,
        term_days=contract.term_days,
        items=items,
        joiners_minor=owed,
        leavers_minor=returned,
        amount_minor=owed - returned,
        working=tuple(step for step in rating.steps if step.subject in shown and step.kind not in (_JOINED, "tax")),
    )


def _joins(contract: _Contract, joiner: Joiner, premium_minor: int) -> MemberItem:
    amount_minor = unearned(premium_minor, contract.days_left, contract.term_days)
    origin = f"{contract.days_left} of {contract.term_days} days"
    if joiner.replaces is not None:
        amount_minor, origin = 0, f"takes the place of {joiner.replaces} in class {joiner.cover_class}"
    return MemberItem(
        kind="joins" if joiner.replaces is None else "replaces",
        member_no=joiner.member_no,
        cover_class=joiner.cover_class,
        premium_minor=premium_minor,
        amount_minor=amount_minor,
        origin=origin,
    )


def _leaves(
    contract: _Contract, leaver: Leaver, member: GroupMember, premium_minor: int, successor: str | None
) -> MemberItem:
    begins = contract.order.effective
    starts = member.joins if member.joins is not None and joins_later(member, begins) else begins
    term = MemberTerm(begins, contract.expiry, starts)
    until, rule = contract.change.effective, contract.group.leavers
    amount_minor, origin = given_back(rule, premium_minor, term, until, claimed=leaver.claimed)
    if successor is not None:
        amount_minor, origin = 0, f"{successor} takes the place"
    return MemberItem(
        kind="leaves" if successor is None else "replaced",
        member_no=leaver.member_no,
        cover_class=member.cover_class,
        premium_minor=premium_minor,
        amount_minor=-amount_minor,
        origin=origin,
    )
