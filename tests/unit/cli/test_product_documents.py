"""What people type for clones: percentages, values and names of versions."""

from typing import Any

import pytest

from services.cli.console import Failure
from services.cli.product_documents import _basis_points, _change, _named, _share
from tests.unit.quote.orders import VERSIONS

MODEL: dict[str, Any] = VERSIONS["health-basic"].document.model_dump(mode="json")


@pytest.mark.parametrize(("typed", "basis_points"), [("40", 4_000), ("33.33", 3_333), ("0.5%", 50), ("100", 10_000)])
def test_percentages_become_basis_points(typed: str, basis_points: int) -> None:
    assert _basis_points(typed) == basis_points


@pytest.mark.parametrize("typed", ["a third", "33.333", "", "nan", "inf"])
def test_what_is_no_share_is_told(typed: str) -> None:
    with pytest.raises(Failure):
        _basis_points(typed)


def test_an_insurer_is_named_before_its_share() -> None:
    assert _share("Ping=An=40") == {"insurer": "Ping=An", "share_bp": 4_000}
    with pytest.raises(Failure, match="INSURER=PERCENT"):
        _share("Alpha")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("on_sale_from=2026-01-01", "2026-01-01"),
        ("on_sale_until=2026-01-01", "2026-01-01"),
        ("pricing.tariff.rates.Accident.bands.0.ratio=0.36", "0.36"),
        ("term_months=6", 6),
        ("channels=[river, hill]", ["river", "hill"]),
        ("channels=null", None),
        ("title.en=A = B", "A = B"),
    ],
)
def test_a_value_is_read_as_the_document_holds_it(typed: str, value: Any) -> None:
    assert _change(typed, MODEL) == (typed.partition("=")[0], value)


@pytest.mark.parametrize("typed", ["term_months", "channels=[river"])
def test_a_change_that_cannot_be_read_is_told(typed: str) -> None:
    with pytest.raises(Failure):
        _change(typed, MODEL)


def test_a_version_is_named_with_its_code() -> None:
    assert _named("motor-private/2") == ("motor-private", 2)
    for typed in ("motor-private", "motor-private/two", "/1"):
        with pytest.raises(Failure, match="CODE/VERSION"):
            _named(typed)
