"""A call that blocks the event loop is named in the log while it blocks, and afterwards everything is handled once."""

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from services.kernel import failpoints
from services.kernel.observability import Metrics
from services.kernel.process.loop_watch import LoopWatch
from services.kernel.process.runtime import Kernel
from services.kernel.proof.verify import verify_log
from tests.support.running import Home, eventually
from tests.support.tally import DECIDER, Command, Event, State, decide
from tests.support.tally_process import TallyProcess
from tests.support.topic_audit import assert_topic_is_the_log

SESSION_TIMEOUT_MS = 6_000
BLOCKED_SECONDS = 2.0
STALL_SECONDS = 0.4
TALLIES = ("t1", "t2", "t3", "t4", "t5", "t6")


def a_rule_that_sleeps(command: Command, state: State) -> Sequence[Event]:
    """As a call to a slow library does it, deep inside a rule, once."""
    if not state.total:
        time.sleep(BLOCKED_SECONDS)
    return decide(command, state)


def _stalls(kernel: Kernel) -> int:
    label = {"service": kernel.definition.name}
    return int(kernel.metrics.registry.get_sample_value("ledger_loop_stalls_total", label) or 0)


async def _has_stalled(kernel: Kernel) -> bool:
    return _stalls(kernel) > 0


async def test_the_function_that_blocks_is_named_once_and_everything_is_handled_once(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "services.kernel.process.loop_watch")
    settings = home.settings().model_copy(update={"loop_stall_seconds": STALL_SECONDS})
    definition = replace(home.definition, decider=replace(DECIDER, decide=a_rule_that_sleeps))
    kernel = Kernel(definition, settings)
    await kernel.start()
    try:
        await home.publish(*(home.ask("count", "t1") for _ in range(20)))
        await home.quiet(kernel)
        told = [record for record in caplog.records if "has stood still" in record.getMessage()]
        await eventually(lambda: _in(caplog, "goes on after"), "the end of the stall is told")
    finally:
        await kernel.stop()
    (warning,) = told
    assert re.search(
        r"stood still for \d+\.\d s in a_rule_that_sleeps \(.*test_loop_watch\.py:\d+\)", warning.getMessage()
    )
    assert "in _execute\n" in warning.getMessage()
    assert (warning.levelno, _stalls(kernel)) == (logging.WARNING, 1)
    assert await home.totals() == {"t1": 20}
    assert await assert_topic_is_the_log(home) == 20


async def _in(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return text in caplog.text


@pytest.mark.slow
async def test_a_process_whose_loop_was_blocked_longer_than_its_session_writes_nothing_again(
    home: Home, tmp_path: Path
) -> None:
    """It is in the middle of a transaction, which the database ends; its successor has the partitions by then."""
    settings = home.settings().model_copy(update={"session_timeout_ms": SESSION_TIMEOUT_MS})
    stalled = settings.model_copy(update={"failpoint": "inbox.inserted:2:stall"})
    process = TallyProcess(home.definition.name, home.source, stalled, log=tmp_path / "log").start()
    try:
        await home.publish(*(home.ask("count", tally) for tally in TALLIES))
        await eventually(lambda: _counted(home, 6), "the process counts")
        await home.publish(*(home.ask("count", tally) for tally in TALLIES))
        async with home.kernel() as successor:
            # Longer than the stall: the process has woken in the meantime and tried to go on.
            until = time.monotonic() + failpoints.STALL_SECONDS + 3
            sent = 2
            while time.monotonic() < until:
                await home.publish(*(home.ask("count", tally) for tally in TALLIES))
                sent += 1
                await asyncio.sleep(0.5)
            await eventually(lambda: _counted(home, 6 * sent), "all is counted")
            process.terminate()
            await asyncio.to_thread(process.join, 30)
            await home.quiet(successor)
    finally:
        if process.is_alive():
            process.kill()
        process.join()
    assert process.exitcode == 0
    assert re.search(r"stood still for .* in _act \(.*failpoints\.py", (tmp_path / "log").read_text())
    assert await home.totals() == dict.fromkeys(TALLIES, sent)
    assert await assert_topic_is_the_log(home) == 6 * sent
    async with home.superuser() as superuser:
        assert (await verify_log(superuser)).findings == ()


async def _counted(home: Home, total: int) -> bool:
    return sum((await home.totals()).values()) >= total


async def test_a_loop_that_is_busy_and_turns_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "services.kernel.process.loop_watch")
    metrics = Metrics("tally")
    watch = LoopWatch(2.0, metrics.loop_stalls)
    watch.start()
    for _ in range(15):
        await asyncio.sleep(0)
        _busy(0.2)
    watch.end()
    assert not [record.getMessage() for record in caplog.records if record.name == "services.kernel.process.loop_watch"]


def _busy(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
