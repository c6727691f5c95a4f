"""The real motor book maps whole and its totals agree; without the feed a small book of the same form stands in."""

import csv
import gzip
import io
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from services.intake.files import read_messages
from services.intake.mapping import load_mapping
from services.intake.messages import Prepared

REAL_FEED = Path(os.environ.get("LEDGER_REAL_FEED", "../shared/feeds"))
PREMIUMS = ("Windscreen", "DamAll", "Fire", "Acc1", "Acc2", "Legal", "TPLM", "TPLV", "Serv", "Theft")
DRIVER = {
    "DrivAge": "44",
    "DrivGender": "F",
    "MaritalStatus": "",
    "BonusMalus": "50",
    "LicenceNb": "2",
    "JobCode": "",
    "VehAge": "10",
    "VehClass": "Cheaper",
    "VehPower": "P10",
    "VehGas": "Regular",
    "VehUsage": "Private+trip to office",
    "Garage": "Closed zbox",
    "Area": "A2",
    "Region": "Headquarters",
    "Marketing": "M1",
}


@dataclass(frozen=True)
class Totals:
    premium_minor: dict[str, int]
    by_coverage_minor: dict[str, int]
    by_frequency: dict[str, int]
    policies: int
    claim_lines: int
    claimed_minor: int
    claims_by_coverage: dict[str, int]


@dataclass(frozen=True)
class Feed:
    folder: Path
    totals: Totals


# The control totals that come with the feed; the lines by guarantee are counted from the file.
REAL_TOTALS = Totals(
    premium_minor={"A": 1_286_543_950, "B": 280_399_210, "L": 659_826_090},
    by_coverage_minor={
        "Windscreen": 133_905_900,
        "DamAll": 431_423_200,
        "Fire": 22_965_500,
        "Acc1": 67_226_000,
        "Acc2": 79_987_500,
        "Legal": 54_158_900,
        "TPLM": 871_310_150,
        "TPLV": 44_519_300,
        "Serv": 279_300_900,
        "Theft": 241_971_900,
    },
    by_frequency={"annual": 17_579, "half-yearly": 28_972, "quarterly": 3_906, "monthly": 1_486},
    policies=32_117,
    claim_lines=9_246,
    claimed_minor=1_110_293_200,
    claims_by_coverage={"DamAll": 953, "Fire": 107, "Serv": 213, "TPLM": 4_202, "Theft": 575, "Windscreen": 3_196},
)
SMALL_TOTALS = Totals(
    premium_minor={"A": 28_820, "B": 21_530, "L": 12_345},
    by_coverage_minor={"Windscreen": 4_600, "Legal": 6_900, "TPLM": 51_195},
    by_frequency={"half-yearly": 2, "annual": 1, "monthly": 1},
    policies=3,
    claim_lines=3,
    claimed_minor=41_600,
    claims_by_coverage={"Windscreen": 1, "DamAll": 1, "Serv": 1},
)


def policy(number: str, year: str, channel: str, frequency: str, **premiums: str) -> dict[str, str]:
    cents = sum(int(premium.replace(".", "")) for premium in premiums.values())
    return {
        "IDpol": number,
        "Year": year,
        "Channel": channel,
        "PayFreq": frequency,
        **DRIVER,
        **{f"Prem{code}": premiums.get(code, "0.00") for code in PREMIUMS},
        "PremTot": f"{cents // 100}.{cents % 100:02d}",
    }


def small_feed(folder: Path) -> Path:
    """The same form as the real files: three policies, one of them renewed, and three claims."""
    policies = [
        policy("1.100a", "2003", "A", "Half-yearly", Windscreen="15.00", TPLM="129.10"),
        policy("1.100a", "2004", "A", "Half-yearly", Windscreen="15.00", TPLM="129.10"),
        policy("2.100b", "2003", "B", "Annual", Windscreen="16.00", Legal="69.00", TPLM="130.30"),
        policy("3.100a", "2004", "L", "Monthly", TPLM="123.45"),
    ]
    claims = [
        ("1.100a", "2003-05-01", "331", "7001", "Windscreen"),
        ("2.100b", "2003-12-31", "85", "7001", "Damage"),
        ("3.100a", "2004-02-29", "0", "7002", "Other"),
    ]
    claim_rows = [
        dict(zip(("IDpol", "OccurDate", "Payment", "IDclaim", "Guarantee"), row, strict=True)) for row in claims
    ]
    for name, rows in (("motor_policies", policies), ("motor_claims", claim_rows)):
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text.getvalue().encode()))
    return folder


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    if (REAL_FEED / "motor_policies.csv.gz").exists():
        return Feed(REAL_FEED, REAL_TOTALS)
    return Feed(small_feed(tmp_path_factory.mktemp("feed")), SMALL_TOTALS)


def test_every_policy_year_becomes_an_order_and_the_premiums_agree(feed: Feed) -> None:
    check_policies(feed)


def test_every_claim_row_becomes_a_claim_line_and_the_sums_agree(feed: Feed) -> None:
    check_claims(feed)


def test_the_small_book_agrees_as_well(tmp_path: Path) -> None:
    small = Feed(small_feed(tmp_path), SMALL_TOTALS)
    check_policies(small)
    check_claims(small)


def check_policies(feed: Feed) -> None:
    premium_minor: Counter[str] = Counter()
    by_coverage: Counter[str] = Counter()
    by_frequency: Counter[str] = Counter()
    order_numbers, contracts = set(), set()
    for made in read_messages(feed.folder / "motor_policies.csv.gz", load_mapping("casdatasets-motor-policies")):
        assert isinstance(made, Prepared), made
        order = orjson.loads(made.value)
        order_numbers.add(order["order_no"])
        contracts.add(order["contract_no"])
        premium_minor[made.channel] += order["premium_minor"]
        by_frequency[order["frequency"]] += 1
        for coverage in order["coverages"]:
            by_coverage[coverage["code"]] += coverage["premium_minor"]
    assert premium_minor == feed.totals.premium_minor
    assert by_coverage == feed.totals.by_coverage_minor
    assert sum(by_coverage.values()) == sum(premium_minor.values())
    assert by_frequency == feed.totals.by_frequency
    assert len(order_numbers) == sum(by_frequency.values())
    assert len(contracts) == feed.totals.policies


def check_claims(feed: Feed) -> None:
    lines: Counter[str] = Counter()
    claimed_minor = 0
    for made in read_messages(feed.folder / "motor_claims.csv.gz", load_mapping("casdatasets-motor-claims")):
        assert isinstance(made, Prepared), made
        assert made.channel == "claims-desk"
        for line in orjson.loads(made.value)["lines"]:
            lines[line["coverage"]] += 1
            claimed_minor += line["claimed_minor"]
    assert lines == feed.totals.claims_by_coverage
    assert sum(lines.values()) == feed.totals.claim_lines
    assert claimed_minor == feed.totals.claimed_minor
