"""Fixed test data: terms, orders and notices with sensible values that a test changes where it cares."""

from datetime import date
from typing import Any

from contracts.vocabulary.identifiers import contract_id_of
from contracts.vocabulary.lines import ProductLine
from contracts.vocabulary.products import CoverageTerms, CoverTerms, PaymentFrequency, PremiumSplit, SettlementMethod
from contracts.vocabulary.time import CoverPeriod

CHANNEL = "shop"
CONTRACT = contract_id_of(f"channel:{CHANNEL}", "C-1")
SPLIT = PremiumSplit(insurer_bp=6_250, commission_bp=2_500, platform_fee_bp=1_000, tax_bp=250)
YEAR_2026 = CoverPeriod(effective=date(2026, 1, 1), expiry=date(2027, 1, 1))
YEAR_2027 = CoverPeriod(effective=date(2027, 1, 1), expiry=date(2028, 1, 1))


def cover_terms(**changes: Any) -> CoverTerms:
    """Motor cover for 2026: Windscreen 15.00 and TPLM 129.10, per order, annual."""
    fields: dict[str, Any] = {
        "contract_id": CONTRACT,
        "channel": CHANNEL,
        "order_no": "O-1",
        "contract_no": "C-1",
        "product_code": "motor-private",
        "product_version": 1,
        "line": ProductLine("motor"),
        "period": YEAR_2026,
        "currency": "EUR",
        "coverages": (
            CoverageTerms(code="Windscreen", premium_minor=1_500),
            CoverageTerms(code="TPLM", premium_minor=12_910),
        ),
        "premium_minor": 14_410,
        "settlement": SettlementMethod.PER_ORDER,
        "frequency": PaymentFrequency.ANNUAL,
        "split": SPLIT,
    }
    return CoverTerms(**{**fields, **changes})


# Quote: channel messages as they are written, and orders as quote keeps them.

MOTOR_RISK: dict[str, Any] = {
    "line": "motor",
    "driver_age": 44,
    "driver_gender": "F",
    "bonus_malus": 50,
    "vehicle_age": 10,
    "vehicle_class": "Cheaper",
    "vehicle_power": "P10",
    "fuel": "Regular",
    "usage": "Private+trip to office",
    "garage": "Closed zbox",
    "area": "A2",
    "region": "Headquarters",
}
ADULT: dict[str, Any] = {"birth_date": "1990-05-17", "gender": "F", "smoker": False}


def motor_order(**changes: Any) -> dict[str, Any]:
    """An order of private motor cover for 2026: Windscreen 15.00 and TPLM 129.10; None leaves a field out."""
    fields: dict[str, Any] = {
        "type": "order.placed",
        "schema_version": 1,
        "order_no": "O-1",
        "contract_no": "C-1",
        "book": "fremotor",
        "product": "motor-private",
        "placed_at": "2025-12-20T10:00:00Z",
        "effective": "2026-01-01",
        "currency": "EUR",
        "premium_minor": 14_410,
        "coverages": [
            {"code": "Windscreen", "premium_minor": 1_500},
            {"code": "TPLM", "premium_minor": 12_910},
        ],
        "frequency": "annual",
        "risk": MOTOR_RISK,
        "campaign": "M1",
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def health_order(**changes: Any) -> dict[str, Any]:
    """An order of basic health cover of one adult, aged 35 when cover starts; None leaves a field out."""
    fields: dict[str, Any] = {
        "type": "order.placed",
        "schema_version": 1,
        "order_no": "H-1",
        "product": "health-basic",
        "placed_at": "2025-12-20T10:00:00Z",
        "effective": "2026-01-01",
        "currency": "CNY",
        "premium_minor": 26_182,
        "coverages": [{"code": "Inpatient", "sum_insured_minor": 10_000_000}],
        "risk": {"line": "health", "insureds": [ADULT]},
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


DECLARATION: dict[str, Any] = {
    "serious_illness": False,
    "medication": False,
    "hospital_days": 0,
    "occupation_class": "office",
}
POLICYHOLDER: dict[str, Any] = {
    **ADULT,
    "relation": "self",
    "social_insurance": True,
    "disclosures": DECLARATION,
}
CHILD: dict[str, Any] = {
    "birth_date": "2020-03-01",
    "gender": "M",
    "relation": "child",
    "social_insurance": True,
    "disclosures": {**DECLARATION, "occupation_class": "none"},
}


def plus_order(*insureds: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order of health plus: 1,000,000 of hospital treatment for one adult of 35, or for `insureds`."""
    fields = {
        "order_no": "HP-1",
        "product": "health-plus",
        "premium_minor": 21_736,
        "coverages": [{"code": "Hospital", "sum_insured_minor": 100_000_000}],
        "risk": {"line": "health", "insureds": list(insureds or (POLICYHOLDER,))},
        "disclosures": {"declined_before": False},
    }
    return health_order(**{**fields, **changes})


def member(number: int, **changes: Any) -> dict[str, Any]:
    """A man of 28 of class B in a census."""
    return {
        "member_no": f"M{number}",
        "age": 28,
        "gender": "M",
        "cover_class": "B",
        "name": f"Wang {number}",
        **changes,
    }


MANAGERS = [member(number, age=35, gender="F", cover_class="A") for number in (1, 2)]
STAFF = [member(number) for number in (3, 4, 5)]
DAUGHTER: dict[str, Any] = {
    "member_no": "M5-1",
    "birth_date": "2015-06-30",
    "gender": "F",
    "cover_class": "C",
    "relation": "child",
    "name": "Li Na",
}


def group_order(*members: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order of inpatient cover for two managers, three of the staff and a daughter, or for `members`."""
    fields = {
        "order_no": "G-1",
        "product": "group-medical",
        "premium_minor": 214_093,
        "coverages": [{"code": "Inpatient"}],
        "risk": {
            "line": "group",
            "employer": {"name": "Eastern Trading", "industry": "office"},
            "members": list(members or (*MANAGERS, *STAFF, DAUGHTER)),
        },
        "disclosures": {"at_work": True},
    }
    return health_order(**{**fields, **changes})
