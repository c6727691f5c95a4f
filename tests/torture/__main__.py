"""`python -m tests.torture --seconds 300 --seed 7`: torture the system, print what happened, fail on a difference."""

import argparse
import asyncio
import logging
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from infra.errors import InfraError
from services.cli.console import Failure, console, table
from tests.torture.burst import Burst, burst
from tests.torture.plan import LONG_ABSENCES, Step, long_absence, long_plan, short_plan
from tests.torture.run import Report, Settings, torture
from tests.torture.vitals import Vitals

_QUIET_SECONDS_MAX = 900.0
_LAGS_SHOWN = 12


def main() -> int:
    """Run as the arguments say; returns the exit code."""
    arguments = _arguments()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(10_000)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="torture-"))
    folder.mkdir(parents=True, exist_ok=True)
    # What the harness's own clients say of servers that are away is no news.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    print(f"seed {seed}; the same again: {_again(arguments, seed)}", flush=True)
    try:
        asyncio.run(_stoppable(_run(arguments, seed, folder)))
    except (AssertionError, Failure, InfraError) as difference:
        print(f"FAILED, seed {seed}: {difference}\nlogs and journal stay in {folder}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("stopped", file=sys.stderr)
        return 130
    if arguments.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _again(arguments: argparse.Namespace, seed: int) -> str:
    if arguments.burst:
        return f"python -m tests.torture --burst {arguments.burst} --seed {seed}"
    if arguments.long_absence:
        seconds = f"{arguments.seconds:g}"
        return f"python -m tests.torture --long-absence {arguments.long_absence} --seconds {seconds} --seed {seed}"
    return f"make torture SECONDS={arguments.seconds:g} SEED={seed}"


async def _run(arguments: argparse.Namespace, seed: int, folder: Path) -> None:
    started = time.monotonic()
    if arguments.burst:
        _show_burst(await burst(folder, seed, arguments.burst, _QUIET_SECONDS_MAX))
        return
    away = arguments.long_absence
    settings = Settings(seed, arguments.seconds, messages_a_second=arguments.rate)
    plan: Iterable[Step] = short_plan(seed) if arguments.short else long_plan(seed)
    if away is not None:
        plan = long_absence(away, arguments.seconds)
        settings = replace(settings, seconds=float("inf"), quiet_seconds_max=_QUIET_SECONDS_MAX, watched=True)
    report = await torture(folder, settings, plan)
    _show(report, time.monotonic() - started)


async def _stoppable(run: Coroutine[Any, Any, None]) -> None:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await run


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long faults happen")
    parser.add_argument("--seed", type=int, help="of the load and of the plan; drawn and printed unless given")
    parser.add_argument("--rate", type=float, default=20, help="messages a second of the load")
    parser.add_argument("--short", action="store_true", help="each fault once, as the tests do")
    parser.add_argument(
        "--long-absence", choices=LONG_ABSENCES, help="nothing else happens; memory and answers are followed"
    )
    parser.add_argument("--burst", type=int, metavar="ORDERS", help="no faults; so many orders at once")
    parser.add_argument("--folder", type=Path, help="where everything is kept; it stays afterwards")
    return parser.parse_args()


def _show(report: Report, seconds: float) -> None:
    faults = [(name, f"{times}") for name, times in sorted(report.faults.items())]
    console.print(table("Faults", "fault", "times", rows=[*faults, ("all", f"{report.faults.total()}")]))
    console.print(table("Orders", "expected and found", "orders", rows=sorted(report.orders.items())))
    slowest, after = report.slowest
    rows = [
        *((f"messages: {kind}", f"{times:,}") for kind, times in sorted(report.messages.items())),
        ("messages sent again after an error", f"{report.resent:,}"),
        ("oversized messages that the broker refused", f"{report.oversized:,}"),
        ("commits whose answer was lost", f"{report.commits_lost:,}"),
        ("kills (SIGKILL)", f"{report.kills:,}"),
        *((name, f"{times:,} times") for name, times in sorted(report.unasked.items())),
        ("longest time to the next event after a fault", f"{slowest:.1f} s ({after})"),
        ("longest that this program itself was held up", f"{report.held_up_seconds:.1f} s"),
        ("quiet after the load's end", f"{report.quiet_seconds:.1f} s"),
    ]
    console.print(table("Run", "what", "figure", rows=rows))
    if report.vitals is not None and report.caught_up:
        _show_vitals(report.vitals, report)
    console.print(table("Audit", "check", "result", rows=[(one.name, one.result) for one in report.audits]))
    console.print(f"Nothing lost, nothing doubled, nothing reordered ({seconds:.0f} s).")


def _show_vitals(vitals: Vitals, report: Report) -> None:
    began, (step, ended), caught_up = report.began[0], report.ended[0], report.caught_up[0]
    columns = ("service", "MiB before / most / after", "sockets", "log lines a second")
    console.print(table("Services", *columns, rows=vitals.processes(began, ended)))
    phases = [("before", 0.0, began), (f"{step.fault}", began, ended), ("after", ended, float("inf"))]
    console.print(table("HTTP", "when", "kind", "answers", "ms p50 / p99", rows=vitals.http(phases)))
    console.print(
        f"Away for {ended - began:.0f} s, all that had come was worked through {caught_up - ended:.1f} s later."
    )


def _show_burst(found: Burst) -> None:
    columns = ("service", "MiB before / most / after", "sockets", "log lines a second")
    rows = found.vitals.processes(found.began, found.drained)
    console.print(table("Services", *columns, rows=rows))
    phases = [
        ("before", 0.0, found.began),
        ("burst", found.began, found.drained),
        ("after", found.drained, float("inf")),
    ]
    console.print(table("HTTP", "when", "kind", "answers", "ms p50 / p99", rows=found.vitals.http(phases)))
    lags = [(f"{at - found.began:.0f}", f"{lag:,}") for at, lag in found.lags if found.began <= at <= found.drained]
    console.print(table("Lag", "seconds", "orders that wait", rows=lags[:: max(1, len(lags) // _LAGS_SHOWN)]))
    console.print(table("Audit", "check", "result", rows=[(one.name, one.result) for one in found.audits]))
    seconds = found.drained - found.began
    console.print(f"{found.orders:,} orders worked through in {seconds:.0f} s ({found.orders / seconds:.0f}/s).")


if __name__ == "__main__":
    sys.exit(main())
