"""Fixed claims data: a cover for 2026, notices on it, and the history that led to a claim."""

from datetime import UTC, date, datetime
from typing import Any

from contracts.vocabulary.identifiers import claim_number, policy_number
from contracts.vocabulary.products import CoverageTerms
from services.claims.domain.commands import RegisterCover, ReportLoss
from services.claims.domain.decider import CLAIMS_DECIDER
from services.claims.domain.events import ClaimsEvent, CoverRegistered
from services.claims.domain.lines import ClaimedLine
from tests.support.builders import CHANNEL, CONTRACT, YEAR_2026, YEAR_2027, cover_terms
from tests.support.decider_spec import DeciderSpec

SOURCE = "orders.shop.v1/0/7"
POLICY = policy_number(CONTRACT, 1)
CLAIM = claim_number(CHANNEL, "N-1")
REPORTED_AT = datetime(2026, 5, 2, 9, 30, tzinfo=UTC)

claims = DeciderSpec(CLAIMS_DECIDER)

# Windscreen has no limit, TPLM pays up to 10,000.00 a term.
COVERAGES = (
    CoverageTerms(code="Windscreen", premium_minor=1_500),
    CoverageTerms(code="TPLM", premium_minor=12_910, sum_insured_minor=1_000_000),
)


def register(term_no: int = 1, **changes: Any) -> RegisterCover:
    """The cover of 2026 (term 1) or 2027 (term 2)."""
    period = YEAR_2026 if term_no == 1 else YEAR_2027
    terms = cover_terms(**{"coverages": COVERAGES, "period": period, "order_no": f"O-{term_no}", **changes})
    return RegisterCover(policy_no=policy_number(CONTRACT, term_no), term_no=term_no, terms=terms)


def registered(term_no: int = 1, **changes: Any) -> CoverRegistered:
    """The event of `register`."""
    (event,) = decided(register(term_no, **changes))
    assert isinstance(event, CoverRegistered)
    return event


def loss(*amounts: tuple[str, int], **changes: Any) -> ReportLoss:
    """Notice N-1 of a loss on 2026-05-01, in EUR, with a line for each coverage and sum."""
    fields: dict[str, Any] = {
        "contract_id": CONTRACT,
        "channel": CHANNEL,
        "notice_no": "N-1",
        "content_digest": "digest-1",
        "source": SOURCE,
        "loss_date": date(2026, 5, 1),
        "reported_at": REPORTED_AT,
        "currency": "EUR",
        "lines": tuple(
            ClaimedLine(line_no=number, coverage=coverage, claimed_minor=claimed_minor)
            for number, (coverage, claimed_minor) in enumerate(amounts, 1)
        ),
    }
    return ReportLoss(**{**fields, **changes})


def decided(command: Any, *history: ClaimsEvent) -> tuple[ClaimsEvent, ...]:
    """What a command decides after a history."""
    return tuple(CLAIMS_DECIDER.decide(command, CLAIMS_DECIDER.fold(history)))


def history(*commands: Any) -> tuple[ClaimsEvent, ...]:
    """All that these commands decide, one after the other."""
    events: tuple[ClaimsEvent, ...] = ()
    for command in commands:
        events = (*events, *decided(command, *events))
    return events
