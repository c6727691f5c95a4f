"""The short form of the torture: the system is killed, cut off and restarted under load, and nothing is wrong after."""

from collections import Counter
from pathlib import Path

import pytest

from services.kernel import failpoints
from tests.torture.faults import FAULTS
from tests.torture.heard import difference
from tests.torture.journal import Entry
from tests.torture.plan import SERVICES, long_plan, short_plan
from tests.torture.run import Settings, torture

SEED = 11
KILLS_MIN = 6


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.xdist_group("torture")
@pytest.mark.timeout(600)
async def test_nothing_is_lost_doubled_or_reordered_whatever_is_killed(tmp_path: Path) -> None:
    plan = short_plan(SEED)
    report = await torture(tmp_path, Settings(SEED, seconds=300, orders_a_book=40, messages_a_second=30), plan)
    assert report.faults == Counter(step.fault for step in plan)
    assert report.kills >= KILLS_MIN
    assert report.commits_lost
    assert report.oversized
    assert report.orders["issued"]


def test_the_same_seed_gives_the_same_plan() -> None:
    steps = [[step for step, _ in zip(long_plan(seed), range(300), strict=False)] for seed in (5, 5, 6)]
    assert steps[0] == steps[1] != steps[2]


def test_five_minutes_of_the_plan_kill_fifty_times_and_do_everything_else() -> None:
    steps = [step for step, _ in zip(long_plan(7), range(100), strict=False)]
    assert {step.fault for step in steps} == set(FAULTS)
    assert any(step.fault == "Kafka stopped" and step.seconds == 30 for step in steps)
    assert sum(step.fault in ("service killed", "killed at a failpoint") for step in steps) >= 40
    points = {step.detail.partition(":")[0] for step in long_plan_of_one_fault("killed at a failpoint")}
    assert points == set(failpoints.NAMES) - {"projector.in_swap"}
    assert {step.service for step in short_plan(SEED) if step.fault == "service killed"} == set(SERVICES)


def long_plan_of_one_fault(fault: str) -> list:  # type: ignore[type-arg]
    return [step for step, _ in zip(long_plan(7), range(2_000), strict=False) if step.fault == fault]


ISSUED = Entry("orders", "river", "K1", b"{1}", "O-1", "issued")
REFUSED = Entry("orders", "river", "K2", b"{2}", "O-2", "not_json")
TOLD = {("river", "O-1"): Counter(("accepted", "issued"))}
CODES = {"river": Counter(("not_json",))}


def test_the_oracle_is_content_with_what_is_right() -> None:
    assert difference([ISSUED, REFUSED], TOLD, CODES) is None


@pytest.mark.parametrize(
    ("told", "codes", "fault"),
    [
        ({}, CODES, "river O-1: told {}"),
        ({("river", "O-1"): Counter({"accepted": 1, "issued": 2})}, CODES, "'issued': 2"),
        ({**TOLD, ("river", "O-9"): Counter(("accepted",))}, CODES, "river O-9"),
        (TOLD, {}, "missing {'not_json': 1}"),
        (TOLD, {"river": Counter({"not_json": 2})}, "too many {'not_json': 1}"),
    ],
)
def test_the_oracle_names_what_is_lost_doubled_or_foreign(
    told: dict[tuple[str, str], Counter[str]], codes: dict[str, Counter[str]], fault: str
) -> None:
    assert fault in (difference([ISSUED, REFUSED], told, codes) or "")
