"""Runs a tally service as a process of its own, which a failpoint or a signal may kill.

The processes are forked from one that has imported everything already, so each of them starts at once.
"""

import asyncio
import ctypes
import logging
import multiprocessing
import signal
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

from services.kernel import failpoints
from services.kernel.process.runtime import Kernel
from services.kernel.settings import ServiceSettings
from tests.support.tally import tally_service, tally_total

_PR_SET_PDEATHSIG = 1
STOP_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class TallyProcess:
    """What a process needs to know to run the service of a home."""

    name: str
    source: str
    settings: ServiceSettings
    projection_version: int = 1
    log: Path | None = None

    def start(self) -> BaseProcess:
        """Start it; it does not outlive the tests."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        process = context.Process(target=_run, args=(self,), daemon=True)
        process.start()
        return process


def _run(tally: TallyProcess) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if tally.log is not None:
        logging.basicConfig(filename=tally.log, level=logging.WARNING)
    failpoints.arm(tally.settings.failpoint)
    asyncio.run(_serve(tally))


async def _serve(tally: TallyProcess) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    definition = replace(tally_service(tally.name, tally.source), projections=(tally_total(tally.projection_version),))
    kernel = Kernel(definition, tally.settings)
    await kernel.start()
    try:
        await ended.wait()
    finally:
        await kernel.stop()
