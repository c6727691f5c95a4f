"""One run: a cluster, load, the plan's faults one after the other, then quiet and the audit."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from services.cli.demo import prepare_market
from services.demo.book import CHANNELS
from tests.support.system import heads
from tests.torture.cluster import Cluster, running_cluster
from tests.torture.faults import FAULTS, services_hit
from tests.torture.journal import Journal
from tests.torture.load import Load, order_ends
from tests.torture.oracle import Audit, audit
from tests.torture.plan import Step
from tests.torture.progress import Growth, quiet, worked_through
from tests.torture.sender import Sender
from tests.torture.vitals import Vitals

_FIRST_ORDERS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How much, how fast, how long."""

    seed: int
    seconds: float
    orders_a_book: int = 60
    messages_a_second: float = 20.0
    quiet_seconds_max: float = 300.0
    watched: bool = False
    """Whether memory, sockets, log lines and HTTP answers of the services are followed."""


@dataclass
class Report:
    """What a run did and found."""

    faults: Counter[str] = field(default_factory=Counter)
    began: list[float] = field(default_factory=list)
    ended: list[tuple[Step, float]] = field(default_factory=list)
    kills: int = 0
    unasked: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    resent: int = 0
    oversized: int = 0
    commits_lost: int = 0
    slowest: tuple[float, str] = (0.0, "")
    held_up_seconds: float = 0.0
    quiet_seconds: float = 0.0
    audits: list[Audit] = field(default_factory=list)
    caught_up: list[float] = field(default_factory=list)
    """When a watched run had worked through what had come until the end of each fault."""
    vitals: Vitals | None = None


async def torture(folder: Path, settings: Settings, plan: Iterable[Step]) -> Report:
    """Run the plan under load and audit what is left. Raises AssertionError with the first difference."""
    report = Report()
    async with running_cluster(folder) as cluster:
        print(f"servers and services run, their files are in {folder}", flush=True)
        await prepare_market(cluster.stack, list(CHANNELS))
        journal = Journal.at(folder / "journal.jsonl")
        sender = Sender(cluster.servers.kafka, journal, settings.messages_a_second)
        load = Load(cluster, sender, settings.seed, settings.orders_a_book)
        growth = Growth(cluster)
        following = [asyncio.create_task(growth.follow())]
        if settings.watched:
            report.vitals = Vitals(cluster)
            following.append(asyncio.create_task(report.vitals.follow()))
        try:
            await _faults_under_load(cluster, settings, plan, load, report)
            loaded_until = time.monotonic()
            if report.vitals is not None:
                # Nobody may give commands while all is to become quiet.
                report.vitals.asking = False
            report.quiet_seconds = await quiet(cluster, settings.quiet_seconds_max)
            report.audits = await audit(cluster, journal.entries, load.books)
            report.audits.append(await _fed_again(cluster, sender, settings))
            report.audits += (await audit(cluster, journal.entries, load.books))[:1]
        finally:
            for task in following:
                task.cancel()
            await sender.close()
            _count(report, cluster, sender)
        _measure(report, growth, loaded_until)
    return report


async def _faults_under_load(
    cluster: Cluster, settings: Settings, plan: Iterable[Step], load: Load, report: Report
) -> None:
    stop = asyncio.Event()
    loading = asyncio.create_task(load.run(stop))
    try:
        await asyncio.sleep(_FIRST_ORDERS_SECONDS)
        await _carry_out(cluster, settings, plan, loading, report)
        stop.set()
        async with asyncio.timeout(settings.quiet_seconds_max):
            await loading
    except TimeoutError:
        # What stands still is told by whoever waits for quiet next.
        print("the load's last books were not worked through in time", flush=True)
    finally:
        loading.cancel()


async def _carry_out(
    cluster: Cluster, settings: Settings, plan: Iterable[Step], loading: "asyncio.Task[None]", report: Report
) -> None:
    started = time.monotonic()
    for step in plan:
        await asyncio.sleep(step.after_seconds)
        elapsed = time.monotonic() - started
        if elapsed > settings.seconds:
            return
        if loading.done():
            # It only ends by itself when something is wrong with it.
            loading.result()
        print(f"{elapsed:7.1f} s  {step}", flush=True)
        report.faults[step.fault] += 1
        report.began.append(time.monotonic())
        await FAULTS[step.fault](cluster, step)
        report.ended.append((step, time.monotonic()))
        if settings.watched:
            await worked_through(cluster, await order_ends(cluster.servers.kafka))
            report.caught_up.append(time.monotonic())


async def _fed_again(cluster: Cluster, sender: Sender, settings: Settings) -> Audit:
    """Feed everything a second time: no head of any log may move."""
    before, sent = await heads(cluster.stack), list(sender.journal.entries)
    for entry in sent:
        await sender.send_unwritten(entry)
    await sender.flush()
    await quiet(cluster, settings.quiet_seconds_max)
    moved = [service for service, found in (await heads(cluster.stack)).items() if found != before[service]]
    assert not moved, f"A7 feeding everything again moved the log of {', '.join(moved)}"
    return Audit("A7 all of it fed again", f"{len(sent):,} messages, no head moved")


def _count(report: Report, cluster: Cluster, sender: Sender) -> None:
    report.kills = cluster.kills
    for running in cluster.services.values():
        report.unasked.update(f"{running.name} ended with {code}" for code in running.unasked)
    entries = sender.journal.entries
    report.messages.update(f"{entry.kind}, again" if entry.copy else entry.kind for entry in entries)
    report.orders.update(entry.expected for entry in entries if entry.kind == "orders" and not entry.copy)
    report.resent, report.oversized = sender.resent, sender.oversized
    report.commits_lost = sum(proxy.lost for proxy in cluster.proxies.values())


def _measure(report: Report, growth: Growth, until: float) -> None:
    report.held_up_seconds = growth.held_up_seconds
    for step, moment in report.ended:
        for service in services_hit(step):
            seconds = growth.seconds_to_next(service, moment)
            if seconds is not None and moment < until and seconds > report.slowest[0]:
                report.slowest = (seconds, f"{service} after {step}")
