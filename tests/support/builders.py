"""Fixed test data: terms, orders and notices with sensible values that a test changes where it cares."""

from datetime import date
from typing import Any

from contracts.vocabulary.identifiers import contract_id_of
from contracts.vocabulary.products import (
    CoverageTerms,
    CoverTerms,
    PaymentFrequency,
    PremiumSplit,
    ProductLine,
    SettlementMethod,
)
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
        "line": ProductLine.MOTOR,
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
