"""Every kind of bad order that a channel may send, each with the code that it must be refused or declined with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from contracts.topics import ORDER_BYTES_MAX
from contracts.vocabulary.faults import FaultCode
from services.demo.offers import COMPREHENSIVE, GROUP, HEALTH_BASIC, HEALTH_PLUS, MOTOR
from services.demo.raw import Outcome, message_bytes

Order: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What goes wrong with a good order of `product`, and the code of the only, or the first, fault.

    Where a person has to look at the order, or other terms are offered, the code is that outcome.
    """

    name: str
    code: FaultCode | Outcome
    spoil: Callable[[Order], bytes]
    product: str = MOTOR


def _with(**changes: Any) -> Callable[[Order], bytes]:
    return lambda order: message_bytes({**order, **changes})


def _without(name: str) -> Callable[[Order], bytes]:
    return lambda order: message_bytes({key: value for key, value in order.items() if key != name})


def _with_risk(**changes: Any) -> Callable[[Order], bytes]:
    return lambda order: message_bytes({**order, "risk": {**order["risk"], **changes}})


def _with_first_coverage(**changes: Any) -> Callable[[Order], bytes]:
    def spoil(order: Order) -> bytes:
        first, *others = order["coverages"]
        return message_bytes({**order, "coverages": [{**first, **changes}, *others]})

    return spoil


def _text(old: bytes, new: bytes) -> Callable[[Order], bytes]:
    return lambda order: message_bytes(order).replace(old, new, 1)


def _first_coverage_twice(order: Order) -> bytes:
    first = order["coverages"][0]
    total = order["premium_minor"] + first["premium_minor"]
    return message_bytes({**order, "coverages": [*order["coverages"], first], "premium_minor": total})


def _premium_off_by(amount_minor: int) -> Callable[[Order], bytes]:
    return lambda order: message_bytes({**order, "premium_minor": order["premium_minor"] + amount_minor})


def _nothing_bought(order: Order) -> bytes:
    coverages = [{**coverage, "premium_minor": 0} for coverage in order["coverages"]]
    return message_bytes({**order, "coverages": coverages, "premium_minor": 0})


def _with_first_of(name: str, /, **changes: Any) -> Callable[[Order], bytes]:
    """The first of the risk's insureds or members, changed."""

    def spoil(order: Order) -> bytes:
        first, *others = order["risk"][name]
        return message_bytes({**order, "risk": {**order["risk"], name: [{**first, **changes}, *others]}})

    return spoil


def _with_coverages(*chosen: tuple[str, int]) -> Callable[[Order], bytes]:
    coverages = [{"code": code, "sum_insured_minor": sum_minor} for code, sum_minor in chosen]
    return lambda order: message_bytes({**order, "coverages": coverages})


def _first_member_twice(order: Order) -> bytes:
    members = order["risk"]["members"]
    return message_bytes({**order, "risk": {**order["risk"], "members": [members[0], *members]}})


def _four_members(order: Order) -> bytes:
    return message_bytes({**order, "risk": {**order["risk"], "members": order["risk"]["members"][:4]}})


def _answering(**changes: Any) -> Callable[[Order], bytes]:
    return lambda order: message_bytes({**order, "disclosures": {**order["disclosures"], **changes}})


def _insured_above_value(order: Order) -> bytes:
    worth_new = order["risk"]["vehicle"]["value_minor"]
    coverages = [each for each in order["coverages"] if each["code"] != "VehicleDamage"]
    above = {"code": "VehicleDamage", "sum_insured_minor": worth_new + 1_000_000}
    return message_bytes({**order, "coverages": [*coverages, above]})


_HOSPITAL = ("Hospital", 100_000_000)
_CANCER = ("CancerExtra", 100_000_000)
_SOMEBODY = {"birth_date": "1985-04-12", "gender": "F"}
_NEW_WITH_PAST = {"new_car": True, "years_insured": 3}
_BEGINNER = {"birth_date": "2006-02-01", "licensed_on": "2024-06-01"}
_CENTENARIAN = {"birth_date": "1925-01-01", "gender": "M"}

MISTAKES = (
    Mistake("cut in half", FaultCode.NOT_JSON, lambda order: message_bytes(order)[:120]),
    Mistake("not UTF-8", FaultCode.NOT_JSON, lambda order: b"\xff\xfe" + message_bytes(order)),
    Mistake("empty", FaultCode.NOT_JSON, lambda _: b""),
    Mistake("a list", FaultCode.NOT_JSON, lambda order: b"[" + message_bytes(order) + b"]"),
    Mistake("comma at the end", FaultCode.NOT_JSON, lambda order: message_bytes(order)[:-1] + b",}"),
    Mistake("not a number", FaultCode.NOT_JSON, _text(b'"premium_minor":', b'"premium_minor":NaN,"p":')),
    Mistake("a field twice", FaultCode.NOT_JSON, _text(b'"currency":', b'"currency":"CHF","currency":')),
    Mistake("too large", FaultCode.TOO_LARGE, _with(campaign="x" * ORDER_BYTES_MAX)),
    Mistake("unknown type", FaultCode.UNKNOWN_SCHEMA, _with(type="order.changed")),
    Mistake("no type", FaultCode.UNKNOWN_SCHEMA, _without("type")),
    Mistake("later version", FaultCode.UNKNOWN_SCHEMA, _with(schema_version=2)),
    Mistake("no product", FaultCode.MISSING_FIELD, _without("product")),
    Mistake("no start of cover", FaultCode.MISSING_FIELD, _without("effective")),
    Mistake("no coverages", FaultCode.INVALID_FIELD, _with(coverages=[])),
    Mistake("name mistyped", FaultCode.UNKNOWN_FIELD, _with(campain="spring")),
    Mistake("premium as text", FaultCode.INVALID_FIELD, _with(premium_minor="412.50")),
    Mistake("premium with decimals", FaultCode.INVALID_FIELD, _with(premium_minor=41250.5)),
    Mistake("premium below zero", FaultCode.INVALID_FIELD, _with(premium_minor=-100)),
    Mistake("day that does not exist", FaultCode.INVALID_FIELD, _with(effective="2025-02-30")),
    Mistake("moment without zone", FaultCode.INVALID_FIELD, _with(placed_at="2025-01-05T10:00:00")),
    Mistake("small currency letters", FaultCode.INVALID_FIELD, _with(currency="eur")),
    Mistake("blank in the number", FaultCode.INVALID_FIELD, _with(order_no="order 1")),
    Mistake("unknown gender", FaultCode.INVALID_FIELD, _with_risk(driver_gender="X")),
    Mistake("bonus-malus too low", FaultCode.INVALID_FIELD, _with_risk(bonus_malus=20)),
    Mistake("unknown product", FaultCode.UNKNOWN_PRODUCT, _with(product="motor-fleet")),
    Mistake("before the sale", FaultCode.NOT_ON_SALE, _with(placed_at="2001-12-31T23:59:59Z")),
    Mistake("before the sale", FaultCode.NOT_ON_SALE, _with(placed_at="2023-12-31T23:59:59Z"), HEALTH_BASIC),
    Mistake("other line", FaultCode.WRONG_LINE, _with(risk={"line": "health", "insureds": [_SOMEBODY]})),
    Mistake("other currency", FaultCode.WRONG_CURRENCY, _with(currency="USD")),
    Mistake("no book", FaultCode.WRONG_BOOK, _without("book")),
    Mistake("coverage not in the plan", FaultCode.COVERAGE_NOT_IN_PLAN, _with_first_coverage(code="Flood")),
    Mistake("coverage twice", FaultCode.COVERAGE_TWICE, _first_coverage_twice),
    Mistake("nothing bought", FaultCode.COVERAGE_MISSING, _nothing_bought),
    Mistake("wrong total", FaultCode.PREMIUM_DOES_NOT_ADD_UP, _premium_off_by(1)),
    Mistake("driver too young", FaultCode.RISK_NOT_ACCEPTED, _with_risk(driver_age=17)),
    Mistake(
        "sum insured not offered",
        FaultCode.SUM_INSURED_NOT_OFFERED,
        _with_first_coverage(sum_insured_minor=12_345),
        HEALTH_BASIC,
    ),
    Mistake("price off the tariff", FaultCode.PRICE_OUTSIDE_TOLERANCE, _premium_off_by(2), HEALTH_BASIC),
    Mistake("insured too old", FaultCode.RISK_NOT_ACCEPTED, _with_risk(insureds=[_CENTENARIAN]), HEALTH_BASIC),
    Mistake(
        "rider without its base",
        FaultCode.RIDER_WITHOUT_BASE,
        _with_coverages(_HOSPITAL, ("Proton", 100_000_000)),
        HEALTH_PLUS,
    ),
    Mistake(
        "two that are not sold together",
        FaultCode.COMBINATION_NOT_OFFERED,
        _with_coverages(_HOSPITAL, _CANCER, ("CriticalIllness", 5_000_000)),
        HEALTH_PLUS,
    ),
    Mistake(
        "sum insured between the steps",
        FaultCode.SUM_INSURED_NOT_OFFERED,
        _with_coverages(_HOSPITAL, ("Accident", 5_500_000)),
        HEALTH_PLUS,
    ),
    Mistake(
        "nothing declared", FaultCode.DISCLOSURE_UNANSWERED, _with_first_of("insureds", disclosures={}), HEALTH_PLUS
    ),
    Mistake("no policyholder's answer", FaultCode.DISCLOSURE_UNANSWERED, _without("disclosures"), HEALTH_PLUS),
    Mistake("relation not told", FaultCode.MISSING_FIELD, _with_first_of("insureds", relation=None), HEALTH_PLUS),
    Mistake("four members", FaultCode.HEADCOUNT_TOO_LOW, _four_members, GROUP),
    Mistake("a member twice", FaultCode.INVALID_FIELD, _first_member_twice, GROUP),
    Mistake("no name on the first day", FaultCode.MISSING_FIELD, _with_first_of("members", name=None), GROUP),
    Mistake("class that is none", FaultCode.CLASS_NOT_IN_PLAN, _with_first_of("members", cover_class="Z"), GROUP),
    Mistake(
        "parent in the census", FaultCode.DEPENDANT_NOT_ALLOWED, _with_first_of("members", relation="parent"), GROUP
    ),
    Mistake("price off the tariff", FaultCode.PRICE_OUTSIDE_TOLERANCE, _premium_off_by(-2), GROUP),
    Mistake("price off the tariff", FaultCode.PRICE_OUTSIDE_TOLERANCE, _premium_off_by(2), COMPREHENSIVE),
    Mistake("ride hailing", FaultCode.RISK_NOT_ACCEPTED, _answering(ride_hailing=True), COMPREHENSIVE),
    Mistake("insured above its value", FaultCode.SUM_INSURED_NOT_OFFERED, _insured_above_value, COMPREHENSIVE),
    Mistake("new car with a past", FaultCode.INVALID_FIELD, _with_risk(claims_history=_NEW_WITH_PAST), COMPREHENSIVE),
    Mistake("history not told", Outcome.REFERRED, _with_risk(claims_history=None), COMPREHENSIVE),
    Mistake("modified car", Outcome.REFERRED, _answering(modified=True), COMPREHENSIVE),
    Mistake("young driver", Outcome.OFFERED, _with_risk(drivers=[_BEGINNER]), COMPREHENSIVE),
)
