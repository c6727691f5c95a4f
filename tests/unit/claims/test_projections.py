"""The rows that claims' events make: sums and status of a claim, its lines, and the totals."""

from datetime import UTC, datetime
from typing import Any

from contracts.vocabulary.faults import FaultCode
from services.claims.domain.commands import ApproveClaim, DeclineClaim, RecordPayment
from services.claims.domain.lines import ClosingKind
from services.claims.projections import PROJECTIONS
from services.claims.projections.claim import ClaimStatus, claim
from services.claims.projections.claim_line import LineDecision, claim_line
from services.claims.projections.claim_line_total import claim_line_total
from services.claims.projections.cover import cover
from services.kernel.messages import Recorded
from services.kernel.projection import Add, Change, Projection, Put
from tests.support.builders import CHANNEL, CONTRACT
from tests.unit.claims.examples import CLAIM, history, loss, register

NOW = datetime(2026, 5, 2, 10, 0, tzinfo=UTC)
MANUAL = register(straight_through_claim_minor=0)
PAY = RecordPayment(claim_no=CLAIM, paid_minor=45_000, currency="EUR")


def table(projection: Projection, *commands: object) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The table after these commands, row by key."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for position, event in enumerate(history(*commands), 1):
        recorded = Recorded(0, position, f"cover-{CONTRACT}", position, event, NOW, {}, b"")
        for change in projection.changes(recorded):
            source = change.key if isinstance(change, Add) else change.row
            assert set(source) <= set(projection.columns)
            key = tuple(source[column] for column in projection.key)
            match change:
                case Put():
                    rows.setdefault(key, {}).update(change.row)
                case Change():
                    if key in rows:
                        rows[key].update(change.row)
                case Add():
                    row = rows.setdefault(key, {})
                    for column, amount in change.amounts.items():
                        assert column in projection.columns
                        row[column] = row.get(column, 0) + amount
    return rows


def figures(*commands: object) -> dict[str, Any]:
    """The row of claim N-1."""
    return table(claim, *commands)[CLAIM,]


def test_a_term_is_one_row_of_cover() -> None:
    row = table(cover, register())[CONTRACT, 1]
    assert row["sums_insured_minor"] == {"Windscreen": None, "TPLM": 1_000_000}
    assert row["straight_through_claim_minor"] is None
    assert cover.columns["straight_through_claim_minor"] == "int8"


def test_a_claim_row_follows_the_claim_to_its_payment() -> None:
    waiting = figures(MANUAL, loss(("Windscreen", 45_000)))
    assert waiting["status"] is ClaimStatus.ADJUDICATED
    assert (waiting["claimed_minor"], waiting["payable_minor"], waiting["outstanding_minor"]) == (45_000,) * 3
    approve = ApproveClaim(claim_no=CLAIM, approved_by="Ada")
    approved = figures(MANUAL, loss(("Windscreen", 45_000)), approve)
    assert (approved["status"], approved["decided_by"]) == (ClaimStatus.APPROVED, "Ada")
    assert (approved["approved_minor"], approved["decided_at"]) == (45_000, NOW)
    paid = figures(MANUAL, loss(("Windscreen", 45_000)), approve, PAY)
    assert (paid["status"], paid["closing"]) == (ClaimStatus.CLOSED, ClosingKind.PAID)
    assert (paid["paid_minor"], paid["outstanding_minor"]) == (45_000, 0)


def test_declined_and_zero_claims_are_closed_with_their_kind_and_day_of_decision() -> None:
    declined = figures(loss(("Windscreen", 45_000)))
    assert (declined["status"], declined["closing"]) == (ClaimStatus.CLOSED, ClosingKind.DECLINED)
    zero = figures(register(), loss(("Windscreen", 0)))
    assert (zero["status"], zero["closing"]) == (ClaimStatus.CLOSED, ClosingKind.ZERO)
    assert declined["decided_at"] == zero["decided_at"] == NOW


def test_a_line_row_has_its_result_and_reason() -> None:
    rows = table(claim_line, register(), loss(("Theft", 5), ("Windscreen", 10)))
    assert rows[CLAIM, 1]["decision"] is LineDecision.DECLINED
    assert rows[CLAIM, 1]["reason_code"] is FaultCode.GUARANTEE_NOT_BOUGHT
    assert rows[CLAIM, 2]["decision"] is LineDecision.COVERED
    assert (rows[CLAIM, 2]["payable_minor"], rows[CLAIM, 2]["reason_code"]) == (10, None)


def test_line_rows_follow_the_person_who_cuts_or_declines() -> None:
    cut = ApproveClaim(claim_no=CLAIM, approved_by="Ada", approved_minor=4)
    assert table(claim_line, MANUAL, loss(("TPLM", 10)), cut)[CLAIM, 1]["payable_minor"] == 4
    decline = DeclineClaim(claim_no=CLAIM, declined_by="Ada", reason="staged")
    declined = table(claim_line, MANUAL, loss(("TPLM", 10)), decline)[CLAIM, 1]
    assert (declined["payable_minor"], declined["reason_code"]) == (0, FaultCode.DECLINED_BY_ADJUSTER)


def test_totals_count_each_line_once_with_its_final_decision() -> None:
    rows = table(
        claim_line_total,
        register(),
        loss(("TPLM", 600), ("Theft", 5), ("TPLM", 0)),
        loss(("TPLM", 0), notice_no="N-2", content_digest="digest-2"),
        loss(("Theft", 7), notice_no="N-3", content_digest="digest-3"),
        RecordPayment(claim_no=CLAIM, paid_minor=600, currency="EUR"),
    )
    covered = {"lines": 3, "claimed_minor": 600, "payable_minor": 600, "zero_lines": 2}
    declined = {"lines": 2, "claimed_minor": 12, "payable_minor": 0, "zero_lines": 0}
    assert rows == {
        (CHANNEL, "TPLM", LineDecision.COVERED, "", "EUR"): covered,
        (CHANNEL, "Theft", LineDecision.DECLINED, FaultCode.GUARANTEE_NOT_BOUGHT, "EUR"): declined,
    }


def test_a_line_that_waits_is_not_counted_yet() -> None:
    assert table(claim_line_total, MANUAL, loss(("TPLM", 600))) == {}


def test_every_projection_has_a_name_of_its_own() -> None:
    assert len({projection.name for projection in PROJECTIONS}) == len(PROJECTIONS) == 4
