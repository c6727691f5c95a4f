"""Faults: one stable code, one path and one sentence for everything that can be wrong with a message."""

from enum import StrEnum

from contracts.vocabulary.model import ContractModel


class FaultCode(StrEnum):
    """Codes that channels may build on; a code is never reused for something else."""

    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    UNKNOWN_SCHEMA = "unknown_schema"
    INVALID_FIELD = "invalid_field"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_PRODUCT = "unknown_product"
    PRODUCT_WITHDRAWN = "product_withdrawn"
    NOT_ON_SALE = "not_on_sale"
    PRODUCT_CLOSED = "product_closed"
    REGION_NOT_ALLOWED = "region_not_allowed"
    CHANNEL_NOT_ALLOWED = "channel_not_allowed"
    WRONG_LINE = "wrong_line"
    WRONG_CURRENCY = "wrong_currency"
    WRONG_BOOK = "wrong_book"
    COVERAGE_NOT_IN_PLAN = "coverage_not_in_plan"
    COVERAGE_TWICE = "coverage_twice"
    COVERAGE_MISSING = "coverage_missing"
    FREQUENCY_NOT_OFFERED = "frequency_not_offered"
    TERM_NOT_OFFERED = "term_not_offered"
    SUM_INSURED_NOT_OFFERED = "sum_insured_not_offered"
    RIDER_WITHOUT_BASE = "rider_without_base"
    COMBINATION_NOT_OFFERED = "combination_not_offered"
    DEPENDANT_NOT_ALLOWED = "dependant_not_allowed"
    CLASS_NOT_IN_PLAN = "class_not_in_plan"
    HEADCOUNT_TOO_LOW = "headcount_too_low"
    DISCLOSURE_UNANSWERED = "disclosure_unanswered"
    PREMIUM_DOES_NOT_ADD_UP = "premium_does_not_add_up"
    PRICE_OUTSIDE_TOLERANCE = "price_outside_tolerance"
    NO_RATE = "no_rate"
    RISK_NOT_ACCEPTED = "risk_not_accepted"
    DECLINED_BY_UNDERWRITER = "declined_by_underwriter"
    ORDER_NUMBER_REUSED = "order_number_reused"
    PAYMENT_NUMBER_REUSED = "payment_number_reused"
    NOTICE_NUMBER_REUSED = "notice_number_reused"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_NOT_REFERRED = "order_not_referred"
    ORDER_DECIDED = "order_decided"
    ORDER_ISSUED = "order_issued"
    NO_COUNTER_OFFER = "no_counter_offer"
    COUNTER_OFFER_OPEN = "counter_offer_open"
    COUNTER_OFFER_LAPSED = "counter_offer_lapsed"
    NO_QUESTION_OPEN = "no_question_open"
    OVERLAPPING_TERM = "overlapping_term"
    POLICY_UNKNOWN = "policy_unknown"
    NO_COVER_IN_FORCE = "no_cover_in_force"
    GUARANTEE_NOT_BOUGHT = "guarantee_not_bought"
    LIMIT_EXHAUSTED = "limit_exhausted"
    DECLINED_BY_ADJUSTER = "declined_by_adjuster"
    NO_OPEN_INVOICE = "no_open_invoice"
    AMOUNT_MISMATCH = "amount_mismatch"
    INTERNAL = "internal"


class Fault(ContractModel):
    """What is wrong (`code`), where (`path`, dotted, empty for the whole message) and what to do (`message`)."""

    code: FaultCode
    path: str = ""
    message: str
