"""Where a version stands on a day."""

from datetime import date

import pytest

from services.quote.domain.products.life import Effect, Life, SaleWindow, SandboxWindow, Stage

FEBRUARY, MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in (2, 3, 4, 5, 6))
WHOLE = Life(
    approved=True,
    sandbox=SandboxWindow(Effect(FEBRUARY), frozenset(("river",))),
    sale=SaleWindow(MARCH, None),
    closed=Effect(APRIL),
    withdrawn=Effect(MAY),
)


@pytest.mark.parametrize(
    ("day", "stage"),
    [
        (date(2026, 1, 31), Stage.APPROVED),
        (FEBRUARY, Stage.SANDBOX),
        (MARCH, Stage.ON_SALE),
        (date(2026, 3, 31), Stage.ON_SALE),
        (APRIL, Stage.CLOSED),
        (MAY, Stage.WITHDRAWN),
        (JUNE, Stage.WITHDRAWN),
    ],
)
def test_each_stage_begins_on_its_day(day: date, stage: Stage) -> None:
    assert WHOLE.on(day) is stage


def test_at_once_holds_for_every_day() -> None:
    assert Life(sale=SaleWindow(MARCH, None), withdrawn=Effect()).on(date(2020, 1, 1)) is Stage.WITHDRAWN
    assert Life(sandbox=SandboxWindow(Effect(), frozenset())).on(date(2020, 1, 1)) is Stage.SANDBOX


def test_the_day_after_the_last_day_of_sale_is_closed() -> None:
    life = Life(sale=SaleWindow(MARCH, date(2026, 3, 31)))
    assert (life.on(date(2026, 3, 31)), life.on(APRIL)) == (Stage.ON_SALE, Stage.CLOSED)


def test_what_was_never_approved_is_a_draft() -> None:
    assert Life().on(MARCH) is Stage.DRAFT
    assert not Life(approved=True).published


def test_an_end_at_once_is_before_any_day() -> None:
    assert Effect().is_before(Effect(MARCH))
    assert Effect(MARCH).is_before(Effect(APRIL))
    assert not any(
        later.is_before(sooner)
        for later, sooner in ((Effect(MARCH), Effect()), (Effect(), Effect()), (Effect(APRIL), Effect(MARCH)))
    )
