"""The machine a benchmark ran on, in lines for a person."""

import importlib.metadata
import os
import platform
import shutil
from pathlib import Path

import asyncpg
import psutil

from infra.local.kafka_jars import KAFKA_VERSION
from infra.servers import Servers


async def describe(servers: Servers, folder: Path) -> list[tuple[str, str]]:
    """Processor, memory, kernel, disk, and the versions of what was measured."""
    connection = await asyncpg.connect(servers.postgres)
    try:
        postgres = await connection.fetchval("show server_version")
    finally:
        await connection.close()
    clients = (f"{name} {importlib.metadata.version(name)}" for name in ("aiokafka", "asyncpg", "pydantic"))
    return [
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("memory", f"{psutil.virtual_memory().total / 2**30:.0f} GiB"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("disk", _disk(folder)),
        ("load before", " ".join(f"{load:.1f}" for load in os.getloadavg())),
        ("PostgreSQL", f"{postgres} ({servers.kind})"),
        ("Kafka", f"{KAFKA_VERSION} ({servers.kind})"),
        ("Python", f"{platform.python_version()}, {', '.join(clients)}"),
    ]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def _disk(folder: Path) -> str:
    usage = shutil.disk_usage(folder)
    place = max(
        (part for part in psutil.disk_partitions(all=True) if folder.is_relative_to(part.mountpoint)),
        key=lambda part: len(part.mountpoint),
        default=None,
    )
    free = f"{usage.free / 2**30:.0f} GiB free of {usage.total / 2**30:.0f}"
    return free if place is None else f"{place.fstype} on {place.device}, {free}"
