"""Fetches Kafka's own jars by Maven coordinate, each one pinned by version and SHA-256."""

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import requests
from jgo.maven import MavenContext

from infra.errors import ServerFailed

KAFKA_VERSION = "4.3.0"
ATTEMPTS_MAX = 4
DOWNLOADS_AT_ONCE = 6
TIMEOUT_SECONDS = 60
PINS_FILE = Path(__file__).with_name("kafka-jars.sha256")


@dataclass(frozen=True, slots=True)
class PinnedJar:
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def class_path(report: Callable[[str], None]) -> str:
    """The class path of the broker. The network is used only for jars that are not in the cache yet."""
    pins = read_pins(PINS_FILE.read_text())
    cache = jar_cache()
    missing = [pin for pin in pins if not _cached_path(cache, pin).exists()]
    if missing:
        started = time.monotonic()
        report(f"downloading Kafka {KAFKA_VERSION} ({len(missing)} files, once) ...")
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            list(pool.map(lambda pin: _fetch(cache, pin), missing))
        report(f"Kafka {KAFKA_VERSION} downloaded in {time.monotonic() - started:.0f} s")
    for pin in pins:
        _verify(_cached_path(cache, pin), pin)
    return ":".join(str(_cached_path(cache, pin)) for pin in pins)


def read_pins(text: str) -> list[PinnedJar]:
    """Reads lines of `<sha256>  <group>:<artifact>:<version>`."""
    pins = []
    for line in text.splitlines():
        sha256, coordinate = line.split()
        group, artifact, version = coordinate.split(":")
        pins.append(PinnedJar(group, artifact, version, sha256))
    return pins


def jar_cache() -> Path:
    return Path(platformdirs.user_cache_dir("policy-ledger")) / "jars"


def _cached_path(cache: Path, pin: PinnedJar) -> Path:
    folder = cache.joinpath(*pin.group.split("."), pin.artifact, pin.version)
    return folder / f"{pin.artifact}-{pin.version}.jar"


def _fetch(cache: Path, pin: PinnedJar) -> None:
    """Downloads beside the cache and moves the finished file, so that a broken download is never taken for a jar."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        staging = cache / ".staging" / f"{time.monotonic_ns()}-{pin.sha256[:8]}"
        context = MavenContext(repo_cache=staging, timeout=TIMEOUT_SECONDS)
        try:
            jar = context.project(pin.group, pin.artifact).at_version(pin.version).artifact().resolve()
            _verify(jar, pin)
            target = _cached_path(cache, pin)
            target.parent.mkdir(parents=True, exist_ok=True)
            jar.replace(target)
        except (requests.RequestException, OSError, RuntimeError) as error:
            if attempt == ATTEMPTS_MAX:
                raise ServerFailed(f"cannot download {pin.coordinate}: {error}") from error
            time.sleep(attempt)
        else:
            return


def _verify(jar: Path, pin: PinnedJar) -> None:
    actual = hashlib.sha256(jar.read_bytes()).hexdigest()
    if actual != pin.sha256:
        raise ServerFailed(
            f"{jar} is not the jar that was pinned as {pin.coordinate}:\n"
            f"  expected SHA-256 {pin.sha256}\n  found    SHA-256 {actual}\nRemove the file and start again."
        )
