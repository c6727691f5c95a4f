"""The checks of an order against the coverage tree: riders, combinations, who is insured, what was declared."""

from collections.abc import Collection, Iterator, Sequence

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.lines.group import GroupRisk
from contracts.vocabulary.time import add_months
from services.quote.domain.order import Order
from services.quote.domain.products import RULES_BY_LINE
from services.quote.domain.products.combinations import is_met, sentence
from services.quote.domain.products.coverage import Dependants
from services.quote.domain.products.disclosures import disclosure_faults
from services.quote.domain.products.group_checks import census_faults
from services.quote.domain.products.group_terms import CLASS_FACT, RELATION_FACT
from services.quote.domain.products.rules import Subject
from services.quote.domain.products.version import ProductVersion

_SELF = "self"


def choice_faults(order: Order, bought: Collection[str], product: ProductVersion) -> Iterator[Fault]:
    """Riders without a coverage to stand on, and combinations that are not offered."""
    for place, chosen in enumerate(order.coverages):
        planned = product.plan.get(chosen.code)
        if planned is None or chosen.code not in bought:
            continue
        if planned.rider_on and not any(code in bought for code in planned.rider_on):
            needed = " or ".join(planned.rider_on)
            message = f"coverage {chosen.code} is a rider on {needed}; add that, or leave the rider out"
            yield Fault(code=FaultCode.RIDER_WITHOUT_BASE, path=f"coverages.{place}.code", message=message)
    for combination in product.document.plan.combinations:
        if not is_met(combination, bought):
            message = f"{sentence(combination)}; the order has {', '.join(sorted(bought)) or 'none'}"
            yield Fault(code=FaultCode.COMBINATION_NOT_OFFERED, path="coverages", message=message)


def insured_faults(order: Order, subjects: Sequence[Subject], product: ProductVersion) -> Iterator[Fault]:
    """Who may not be insured, in which class, and what was not declared."""
    document = product.document
    census_path = RULES_BY_LINE[document.line].census_path
    if document.vehicle is not None:
        chosen = [(each.code, each.sum_insured_minor) for each in order.coverages]
        yield from document.vehicle.over_insurance(chosen, subjects, order.currency)
    if document.disclosures or order.disclosures or any(subject.answers for subject in subjects):
        yield from disclosure_faults(document.disclosures, subjects, order.disclosures)
    if document.plan.dependants is not None:
        yield from relation_faults(document.plan.dependants, subjects, one_self=census_path is None)
    if document.group is not None and isinstance(order.risk, GroupRisk):
        expiry = order.expiry or add_months(order.effective, document.term_months)
        yield from census_faults(document.group, order.risk.members, subjects, order.effective, expiry)
    if product.tells_insured_apart:
        yield from _insures_nobody(order, subjects, product)


def relation_faults(dependants: Dependants, subjects: Sequence[Subject], *, one_self: bool) -> Iterator[Fault]:
    """Who may not be insured beside the policyholder, or in a census beside the employees."""
    allowed = (_SELF, *dependants.relations)
    count = {_SELF: 0, "others": 0}
    for subject in subjects:
        relation = subject.facts.get(RELATION_FACT)
        path = f"{subject.path}.{RELATION_FACT}"
        if relation is None:
            message = f"relation to the policyholder is not told; give one of {', '.join(allowed)}"
            yield Fault(code=FaultCode.MISSING_FIELD, path=path, message=message)
            continue
        if relation not in allowed:
            message = f"a {relation} of the policyholder is not insured here; insured are {', '.join(allowed)}"
            yield Fault(code=FaultCode.DEPENDANT_NOT_ALLOWED, path=path, message=message)
        kind = _SELF if relation == _SELF else "others"
        count[kind] += 1
        if one_self and kind == _SELF and count[kind] > 1:
            message = "somebody else is the policyholder already; tell the relation to that person"
            yield Fault(code=FaultCode.DEPENDANT_NOT_ALLOWED, path=path, message=message)
        if kind != _SELF and dependants.at_most is not None and count[kind] > dependants.at_most:
            message = f"at most {dependants.at_most} dependants are insured in one contract"
            yield Fault(code=FaultCode.DEPENDANT_NOT_ALLOWED, path=path, message=message)


def _insures_nobody(order: Order, subjects: Sequence[Subject], product: ProductVersion) -> Iterator[Fault]:
    """A coverage that none of the insured has would be sold at a price of zero."""
    group = product.document.group
    for place, chosen in enumerate(order.coverages):
        planned = product.plan.get(chosen.code)
        if planned is None or (planned.relations is None and group is None):
            continue
        of_class = (
            None if group is None else [each.code for each in group.classes if chosen.code in each.sums_insured_minor]
        )
        insured = (
            subject
            for subject in subjects
            if (planned.relations is None or subject.facts.get(RELATION_FACT) in planned.relations)
            and (of_class is None or subject.facts.get(CLASS_FACT) in of_class)
        )
        if next(insured, None) is None:
            message = f"coverage {chosen.code} insures nobody of this order; leave it out"
            yield Fault(code=FaultCode.DEPENDANT_NOT_ALLOWED, path=f"coverages.{place}.code", message=message)
