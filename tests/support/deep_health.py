"""The deepest health product that the tests know, and orders for it: rates by single years of age and all else."""

from typing import Any

from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.reading import read_document

AGES = range(66)
# Per mille of the sum insured at birth, and what each year of age adds, in hundredths.
_BY_AGE = {"Inpatient": (140, 11), "Outpatient": (2_100, 63), "Maternity": (900, 7)}
_SUMS_INSURED = {
    "Inpatient": [10_000_000, 20_000_000, 50_000_000, 100_000_000],
    "Outpatient": [500_000, 1_000_000, 2_000_000],
    "Maternity": [1_000_000, 2_000_000],
    "Dental": [],
    "CriticalIllness": [10_000_000, 30_000_000],
    "Accident": [5_000_000, 10_000_000, 30_000_000],
}
_HUNDREDTHS = 100


def _decimal(hundredths: int) -> str:
    return f"{hundredths // _HUNDREDTHS}.{hundredths % _HUNDREDTHS:02d}"


def _by_age_and_gender(coverage: str) -> dict[str, Any]:
    start, step = _BY_AGE[coverage]
    rows = [
        [str(age), gender, smoker, _decimal(start + age * step + more + (age * 3 if smoker == "yes" else 0))]
        for age in AGES
        for gender, more in (("F", 9), ("M", 0))
        for smoker in ("yes", "no")
    ]
    columns = [{"fact": "age", "match": "band"}, {"fact": "gender"}, {"fact": "smoker"}]
    return {"columns": columns, "rows": rows}


def _tables() -> dict[str, Any]:
    curve = [{"fact": "sum_insured_minor", "match": "point"}]
    return {
        **{code.lower(): _by_age_and_gender(code) for code in _BY_AGE},
        "critical-illness": {
            "columns": [{"fact": "gender"}, {"fact": "age", "match": "point"}],
            "rows": [
                [gender, str(age), _decimal(40 + age * age // 3 + more)]
                for gender, more in (("F", 0), ("M", 17))
                for age in range(0, 66, 5)
            ],
        },
        "dental": {
            "columns": [{"fact": "age", "match": "band"}],
            "rows": [["0-5", "4000"], ["6-17", "9500"], ["18-45", "12800"], ["46+", "18900"]],
        },
        "large-sum": {
            "columns": curve,
            "rows": [["500000", "1.10"], ["10000000", "1.00"], ["50000000", "0.94"], ["100000000", "0.90"]],
        },
        "package": {
            "columns": [{"fact": "coverage_count", "match": "band"}],
            "rows": [["1", "1"], ["2-3", "0.98"], ["4+", "0.95"]],
        },
        "instalments": {
            "columns": [{"fact": "frequency"}],
            "rows": [["annual", "1"], ["half-yearly", "1.02"], ["quarterly", "1.03"], ["monthly", "1.04"]],
        },
        "smoker-loading": {
            "columns": [{"fact": "smoker"}, {"fact": "age", "match": "band"}],
            "rows": [["no", "*", "0"], ["yes", "0-40", "12.5"], ["yes", "41+", "20"]],
        },
    }


def _factors() -> list[dict[str, Any]]:
    insured = [code for code, sums in _SUMS_INSURED.items() if sums]
    return [
        {"kind": "table", "name": "large sum", "table": "large-sum", "coverages": insured},
        {"kind": "table", "name": "package", "table": "package"},
        {"kind": "table", "name": "instalments", "table": "instalments"},
        {
            "kind": "band",
            "name": "entry age",
            "fact": "age",
            "coverages": ["Inpatient", "CriticalIllness"],
            "bands": [
                {"at_least": 0, "at_most": 55, "ratio": "1"},
                {"at_least": 56, "at_most": 65, "ratio": "1.08"},
            ],
        },
        {
            "kind": "value",
            "name": "gender",
            "fact": "gender",
            "coverages": ["Accident"],
            "values": {"F": "0.92", "M": "1.06"},
        },
    ]


def _tariff() -> dict[str, Any]:
    by_table = {code: {"basis": "per-mille", "table": code.lower()} for code in _BY_AGE}
    return {
        "tables": _tables(),
        "rates": {
            **by_table,
            "Dental": {"basis": "minor", "table": "dental"},
            "CriticalIllness": {"basis": "per-mille", "table": "critical-illness"},
            "Accident": {"basis": "per-mille", "amount": "0.85"},
        },
        "factors": _factors(),
        "loadings": [
            {"name": "smoker", "percent_table": "smoker-loading", "coverages": ["CriticalIllness", "Accident"]},
            {"name": "card", "amount_minor": 1_000, "coverages": ["Outpatient"]},
            {"name": "reserve", "percent": "1.5"},
        ],
        "discounts": [
            {
                "kind": "family",
                "name": "family",
                "steps": [{"at_least": 2, "percent": "5"}, {"at_least": 4, "percent": "8"}],
            },
            {"kind": "volume", "name": "volume", "steps": [{"at_least": 1_000_000, "percent": "2"}]},
        ],
        "short_period": {
            "method": "months-begun",
            "percents": ["10", "20", "30", "40", "50", "60", "70", "80", "85", "90", "95", "100"],
        },
        "minimum": {"per_coverage_minor": {"Accident": 2_000}, "per_subject_minor": 5_000, "per_order_minor": 10_000},
        "tax": {"name": "VAT", "percent": "6"},
    }


def deep_health_content(**changes: Any) -> dict[str, Any]:
    """The document as its author would write it."""
    return {
        "code": "health-deep",
        "version": 1,
        "title": {"en": "Deep health", "zh": "全面医疗"},
        "line": "health",
        "currency": "CNY",
        "on_sale_from": "2024-01-01",
        "settlement": "pay-before-cover",
        "frequencies": ["annual", "half-yearly", "quarterly", "monthly"],
        "split": {"insurer_bp": 7_000, "commission_bp": 1_800, "platform_fee_bp": 600, "tax_bp": 600},
        "coverages": [
            {
                "code": code,
                "title": {"en": code, "zh": "保障"},
                "class_of_business": "medical-expense",
                "sums_insured_minor": sums,
            }
            for code, sums in _SUMS_INSURED.items()
        ],
        "pricing": {"method": "tariff", "tariff": _tariff(), "tolerance_minor": 0},
        "underwriting": [{"fact": "age", "at_least": 0, "at_most": 65}],
        **changes,
    }


def deep_health(**changes: Any) -> ProductDocument:
    """The document, found valid."""
    return read_document(deep_health_content(**changes))


def deep_order(persons: int = 1, **changes: Any) -> dict[str, Any]:
    """An order of all six coverages for so many persons, of different ages, genders and habits."""
    fields: dict[str, Any] = {
        "type": "order.placed",
        "schema_version": 1,
        "order_no": "D-1",
        "product": "health-deep",
        "placed_at": "2025-12-20T10:00:00Z",
        "effective": "2026-01-01",
        "currency": "CNY",
        "premium_minor": 0,
        "coverages": [
            {"code": code, **({"sum_insured_minor": sums[-1]} if sums else {})} for code, sums in _SUMS_INSURED.items()
        ],
        "frequency": "annual",
        "risk": {
            "line": "health",
            "insureds": [
                {
                    "birth_date": f"{1964 + (place * 13) % 60}-0{1 + place % 9}-17",
                    "gender": "FM"[place % 2],
                    "smoker": place % 3 == 1,
                }
                for place in range(persons)
            ],
        },
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}
