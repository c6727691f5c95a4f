"""What a document says about its launch: days, regions, coinsurance, papers; each fault with its path, all at once."""

from typing import Any

import pytest

from contracts.vocabulary.money import split
from services.quote.domain.products.reading import read_document
from tests.unit.quote.domain.products.test_reading import content, faults_of

HASH = "0f" * 32
SHARES: dict[str, Any] = {
    "leader": {"insurer": "Alpha", "share_bp": 4_000},
    "followers": [{"insurer": "Beta", "share_bp": 3_500}, {"insurer": "Gamma", "share_bp": 2_500}],
    "issuance_fee_bp": 200,
}
PAPERS: dict[str, Any] = {
    "wording": {"version": "2026-A", "filing_number": "C00001432512026010112345", "content_sha256": HASH},
    "requirement": {"reference": "PRD-7", "content_sha256": HASH},
    "regions": ["CN-31", "CN-32"],
}


def test_a_document_with_everything_about_its_launch_is_valid() -> None:
    document = read_document(content("motor-private") | PAPERS | {"coinsurance": SHARES})
    assert document.requirement is not None
    assert document.requirement.path == "full"
    assert document.regions == ("CN-31", "CN-32")


def test_coinsurance_of_1234_57_by_40_35_25() -> None:
    document = read_document(content("motor-private") | {"coinsurance": SHARES})
    assert document.coinsurance is not None
    terms = document.coinsurance.terms()
    assert split(123_457, terms.shares_bp) == {"Alpha": 49_383, "Beta": 43_210, "Gamma": 30_864}
    assert terms.issuance_fee_bp == 200


def test_all_misfits_are_told_at_once_with_their_paths() -> None:
    shares = SHARES | {"followers": [{"insurer": "Alpha", "share_bp": 3_500}, {"insurer": "Gamma", "share_bp": 2_501}]}
    changed = content("motor-private") | {
        "coinsurance": shares,
        "regions": ["CN-31", "CN-31"],
        "channels": ["river", "hill", "river"],
        "frequencies": ["annual", "annual"],
        "on_sale_from": "1000-01-01",
        "on_sale_until": "0999-12-31",
    }
    found = faults_of(changed)
    assert set(found) == {
        "coinsurance",
        "coinsurance.followers.0.insurer",
        "regions.1",
        "channels.2",
        "frequencies.1",
        "on_sale_from",
        "on_sale_until",
    }
    assert "4000 + 3500 + 2501 add up to 10001" in found["coinsurance"].message


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("regions", [], "regions"),
        ("regions", ["Île-de-France"], "regions.0"),
        ("wording", PAPERS["wording"] | {"content_sha256": "0f"}, "wording.content_sha256"),
        ("wording", {"version": "1", "content_sha256": HASH}, "wording.filing_number"),
        ("requirement", PAPERS["requirement"] | {"path": "none"}, "requirement.path"),
        ("coinsurance", SHARES | {"followers": []}, "coinsurance.followers"),
        ("coinsurance", SHARES | {"colour": 1}, "coinsurance.colour"),
        ("coinsurance", SHARES | {"leader": {"insurer": "Alpha", "share_bp": 10_000}}, "coinsurance.leader.share_bp"),
    ],
)
def test_a_part_in_bad_form_is_named(name: str, value: Any, path: str) -> None:
    assert list(faults_of(content("motor-private") | {name: value})) == [path]


def test_days_to_pay_are_for_cover_that_waits_for_the_money() -> None:
    assert read_document(content("health-basic") | {"pay_within_days": 10}).pay_within_days == 10
    assert read_document(content("health-basic")).pay_within_days is None
    faults = faults_of(content("motor-private") | {"pay_within_days": 10})
    assert list(faults) == ["pay_within_days"]
    assert "leave pay_within_days out" in faults["pay_within_days"].message
