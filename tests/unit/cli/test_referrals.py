"""What an underwriter types for a counter-offer, as the service reads it."""

import pytest

from services.cli.console import Failure
from services.cli.referrals import loading_of, premium_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("25%", {"percent": "25"}),
        ("Inpatient=12.5%", {"coverages": ["Inpatient"], "percent": "12.5"}),
        ("5000", {"amount_minor": 5000}),
        ("Inpatient=5000", {"coverages": ["Inpatient"], "amount_minor": 5000}),
    ],
)
def test_a_loading_is_a_percentage_or_an_amount_of_all_or_one_coverage(text: str, expected: dict[str, object]) -> None:
    assert loading_of(text) == expected


@pytest.mark.parametrize("text", ["much", "Inpatient=", "Inpatient=-5", "50.00"])
def test_what_is_no_loading_is_refused_with_examples(text: str) -> None:
    with pytest.raises(Failure, match="write 25%"):
        loading_of(text)


def test_a_premium_names_its_coverage() -> None:
    assert premium_of("Inpatient=26182") == ("Inpatient", 26_182)
    with pytest.raises(Failure, match="minor units"):
        premium_of("26182")
