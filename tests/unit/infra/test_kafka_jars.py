"""The pinned jars of the broker."""

import hashlib
from pathlib import Path

import pytest

from infra.errors import ServerFailed
from infra.local import kafka_jars
from infra.local.kafka_jars import KAFKA_VERSION, PINS_FILE, PinnedJar, read_pins


def test_every_jar_is_pinned_once_by_version_and_hash() -> None:
    pins = read_pins(PINS_FILE.read_text())
    assert len({(pin.group, pin.artifact) for pin in pins}) == len(pins)
    assert all(len(bytes.fromhex(pin.sha256)) == 32 for pin in pins)


def test_all_jars_of_kafka_have_the_same_version() -> None:
    versions = {pin.version for pin in read_pins(PINS_FILE.read_text()) if pin.group == "org.apache.kafka"}
    assert versions == {KAFKA_VERSION}


def test_a_jar_in_the_cache_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = PinnedJar("org.example", "thing", "1", hashlib.sha256(b"right").hexdigest())
    pins = tmp_path / "pins"
    pins.write_text(f"{pin.sha256}  {pin.coordinate}\n")
    jar = tmp_path / "org" / "example" / "thing" / "1" / "thing-1.jar"
    jar.parent.mkdir(parents=True)
    monkeypatch.setattr(kafka_jars, "PINS_FILE", pins)
    monkeypatch.setattr(kafka_jars, "jar_cache", lambda: tmp_path)

    jar.write_bytes(b"right")
    assert kafka_jars.class_path(lambda _: None) == str(jar)
    jar.write_bytes(b"wrong")
    with pytest.raises(ServerFailed, match=r"org\.example:thing:1"):
        kafka_jars.class_path(lambda _: None)
