"""Looks at the services and asks them by HTTP all the time: memory, sockets, log lines, answers and their times."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from contracts.topics import ServiceName
from services.quote.product_files import shipped_products
from tests.torture.cluster import Cluster

_SAMPLE_SECONDS = 1.0
_READ_SECONDS = 0.2
_COMMAND_SECONDS = 3.0
_ANSWER_SECONDS_MAX = 60.0
_READS = {
    ServiceName.QUOTE: "/order-outcomes",
    ServiceName.POLICY: "/written-premium",
    ServiceName.BILLING: "/trial-balance",
    ServiceName.CLAIMS: "/claim-totals",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process: resident bytes, open sockets, and lines that it has ever logged."""

    at: float
    resident_bytes: int
    sockets: int
    lines: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer by HTTP; status 0 where none came. `again` says that it named a time to come again."""

    asked_at: float
    kind: str
    status: int
    seconds: float
    again: bool


@dataclass
class Vitals:
    """What was seen of all four services, in order."""

    cluster: Cluster
    samples: dict[str, list[Sample]] = field(default_factory=lambda: {name.value: [] for name in ServiceName})
    answers: list[Answer] = field(default_factory=list)
    asking: bool = True
    _lines: Counter[str] = field(default_factory=Counter)
    _read_to: Counter[str] = field(default_factory=Counter)

    async def follow(self) -> None:
        """Look and ask until cancelled."""
        async with httpx.AsyncClient(timeout=_ANSWER_SECONDS_MAX) as client, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sample())
            tasks.create_task(self._ask_each(client, tasks, "read", _READ_SECONDS))
            tasks.create_task(self._ask_each(client, tasks, "command", _COMMAND_SECONDS))

    async def _sample(self) -> None:
        while True:
            await asyncio.to_thread(self._look)
            await asyncio.sleep(_SAMPLE_SECONDS)

    def _look(self) -> None:
        for name, running in self.cluster.services.items():
            process = running.process
            if process is None or process.ended:
                continue
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                found = psutil.Process(process.pid)
                self._count_lines(name, self.cluster.folder / "logs" / f"{name}.log")
                sockets = len(found.net_connections(kind="inet"))
                self.samples[name].append(Sample(time.monotonic(), found.memory_info().rss, sockets, self._lines[name]))

    def _count_lines(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._read_to[name])
            more = file.read()
        self._lines[name] += more.count(b"\n")
        self._read_to[name] += len(more)

    async def _ask_each(
        self, client: httpx.AsyncClient, tasks: asyncio.TaskGroup, kind: str, every_seconds: float
    ) -> None:
        """One after the other, whether or not those before were answered."""
        number = 0
        while self.asking:
            number += 1
            tasks.create_task(self._ask(client, kind, number))
            await asyncio.sleep(every_seconds)

    async def _ask(self, client: httpx.AsyncClient, kind: str, number: int) -> None:
        asked_at = time.monotonic()
        try:
            answer = await (self._read(client, number) if kind == "read" else self._command(client, number))
            status, again = answer.status_code, "Retry-After" in answer.headers
        except httpx.HTTPError:
            status, again = 0, False
        self.answers.append(Answer(asked_at, kind, status, time.monotonic() - asked_at, again))

    async def _read(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        service, path = list(_READS.items())[number % len(_READS)]
        return await client.get(f"http://127.0.0.1:{self.cluster.ports[service]}{path}")

    async def _command(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        """Publish one more version of a product that nobody orders."""
        document = shipped_products()[0].model_dump(mode="json", exclude_none=True)
        return await client.post(
            f"http://127.0.0.1:{self.cluster.ports[ServiceName.QUOTE]}/products",
            json={**document, "code": "probe", "version": number},
            headers={"Idempotency-Key": f"probe-{number}"},
        )

    def growth_bytes(self, name: str, start: float, end: float) -> int:
        """How far above its size at the start a process came until the end."""
        before = self.at(name, start).resident_bytes
        return max((one.resident_bytes for one in self._between(name, start, end)), default=before) - before

    def at(self, name: str, moment: float) -> Sample:
        """The last look before a moment, or else the first."""
        samples = self.samples[name]
        return next((one for one in reversed(samples) if one.at <= moment), samples[0])

    def _between(self, name: str, start: float, end: float) -> list[Sample]:
        return [one for one in self.samples[name] if start <= one.at <= end]

    def processes(self, start: float, end: float) -> list[tuple[str, ...]]:
        """A row for each service: MiB before, at most and after; sockets the same; log lines a second."""
        rows: list[tuple[str, ...]] = []
        for name in self.samples:
            before, after, last = self.at(name, start), self.at(name, end), self.samples[name][-1]
            seen = self._between(name, start, end) or [before]
            megabytes = (before.resident_bytes, max(one.resident_bytes for one in seen), last.resident_bytes)
            sockets = (before.sockets, max(one.sockets for one in seen), last.sockets)
            rate = (after.lines - before.lines) / max(1.0, end - start)
            shown = [f"{each / 2**20:.0f}" for each in megabytes], [f"{each}" for each in sockets]
            rows.append((name, *(" / ".join(each) for each in shown), f"{rate:.2f}"))
        return rows

    def http(self, phases: Iterable[tuple[str, float, float]]) -> list[tuple[str, ...]]:
        """A row for each phase and kind of request: how often each status came, and how long the answers took."""
        rows: list[tuple[str, ...]] = []
        for phase, start, end in phases:
            for kind in ("read", "command"):
                found = [one for one in self.answers if one.kind == kind and start <= one.asked_at < end]
                if not found:
                    continue
                statuses = Counter(f"{one.status}{' with Retry-After' if one.again else ''}" for one in found)
                seconds = sorted(one.seconds for one in found)
                told = ", ".join(f"{times} x {status}" for status, times in sorted(statuses.items()))
                times = (seconds[len(seconds) * each // 100] for each in (50, 99))
                rows.append((phase, kind, told, " / ".join(f"{1000 * each:,.0f}" for each in times)))
        return rows
