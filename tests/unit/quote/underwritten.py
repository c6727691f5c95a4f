"""A health product with underwriting rules of every outcome, orders for it, and histories that lead to a referral."""

from typing import Any

from contracts.vocabulary.identifiers import person_digest
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.products.reading import read_document
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.underwriting.assessment import CustomerStanding, OtherContract
from tests.support.builders import ADULT, YEAR_2026, health_order
from tests.support.decider_spec import DeciderSpec
from tests.unit.quote.orders import VERSIONS, submit

application = DeciderSpec(QUOTE_DECIDER)
CUSTOMER = person_digest("CN", "ID", "11010519491231002X")
SMOKER = {**ADULT, "smoker": True}
HIGH, LOW = 50_000_000, 10_000_000
OUTPATIENT = {"code": "Outpatient", "sum_insured_minor": 500_000}
WORDS = {"en": "because of the risk", "zh": "因风险原因"}


def rule(code: str, when: dict[str, Any] | None, outcome: str, **more: Any) -> dict[str, Any]:
    """A rule of a document with some words."""
    return {"code": code, "when": when, "outcome": outcome, "reason": WORDS, **more}


RANGE = {"fact": "age", "at_least": 0, "at_most": 65}
HIGH_SUM = rule("high-sum", {"fact": "order.sum_insured_minor.Inpatient", "at_least": HIGH}, "refer")
SMOKES = rule("smoker", {"fact": "smoker", "equals": "yes"}, "load", percent="25", coverages=["Inpatient"])
NEWBORN = rule("newborn", {"fact": "age", "at_most": 1}, "exclude", coverages=["Outpatient"])
LONG_AHEAD = rule("long-ahead", {"fact": "order.days_to_cover", "at_least": 91}, "decline")
KNOWN = rule("known", {"fact": "order.campaign", "equals": "staff"}, "accept")
DOUBLE = rule("double", {"fact": "customer.same_product", "at_least": 1}, "refer")
TOO_MUCH = rule("too-much", {"fact": "customer.sum_insured_minor", "at_least": 60_000_000}, "refer")
AUTHORITY = [
    {"level": 1, "premium_minor": 150_000, "sum_insured_minor": 60_000_000},
    {"level": 2, "premium_minor": 1_000_000},
]
RULES = [RANGE, HIGH_SUM, SMOKES, NEWBORN, LONG_AHEAD, KNOWN, DOUBLE, TOO_MUCH]


def product(rules: list[dict[str, Any]] | None = None, **changes: Any) -> ProductVersion:
    """Basic health with these rules (all of the above), and levels of authority."""
    content = VERSIONS["health-basic"].document.model_dump(mode="json")
    terms = {"authority": AUTHORITY, "answer_within_days": 2, "offer_valid_days": 10}
    given = {"underwriting": RULES if rules is None else rules, "referrals": terms, **changes}
    return ProductVersion.of(read_document({**content, **given}))


PRODUCT = product()


def order(*insureds: dict[str, Any], insured: int = LOW, premium: int = 26_182, **changes: Any) -> dict[str, Any]:
    """An order of inpatient cover for these persons (one adult unless given)."""
    given = {
        "coverages": [{"code": "Inpatient", "sum_insured_minor": insured}],
        "premium_minor": premium,
        "risk": {"line": "health", "insureds": list(insureds) or [ADULT]},
    }
    return health_order(**{**given, **changes})


def decided(message: dict[str, Any], version: ProductVersion = PRODUCT, **changes: Any) -> list[Any]:
    """The events of the order."""
    return list(application.given().when(submit(message, product=version, **changes)).decided)


def standing(*products: str, insured: int = LOW, **changes: Any) -> CustomerStanding:
    """A customer with contracts of these products in 2026."""
    contracts = tuple(
        OtherContract(
            f"K{place}", code, "CNY", YEAR_2026.effective, YEAR_2026.expiry, 26_182, {"Inpatient": insured}, "shop"
        )
        for place, code in enumerate(products)
    )
    return CustomerStanding(**{"contracts": contracts, **changes})


# 500,000.00 x 2.65 per mille x 1.04 x 0.95 = 1,309.10
REFERRED_ORDER = order(insured=HIGH, premium=130_910)
REFERRED = decided(REFERRED_ORDER)
