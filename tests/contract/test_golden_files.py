"""Golden files decode for ever: what is stored in a log or lies on a topic can be read by every later build."""

import importlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.schema_files import message_versions
from contracts.topics import ServiceName
from contracts.vocabulary.model import PublicEvent
from services.kernel.codec import EventCodec
from services.kernel.messages import DomainEvent, Recorded
from services.kernel.service import ServiceDefinition
from services.kernel.wire import message_bytes
from services.policy.domain.events import PaymentConfirmed
from tests.support.golden import GOLDEN, content, log_path, missing, wire_path, write_missing

MESSAGES = {message.name: message for message in message_versions()}
DEFINITIONS: dict[str, ServiceDefinition] = {
    service: importlib.import_module(f"services.{service}.app").DEFINITION for service in ServiceName
}
WIRE_FILES = sorted(GOLDEN.glob("wire/*/*.json"))
LOG_FILES = sorted(GOLDEN.glob("log/*/*.json"))
RECORDED_AT = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)


def stored_event(file: Path) -> tuple[DomainEvent, bool]:
    """The event of a golden file of a log, and whether its version is the one in use."""
    definition = DEFINITIONS[file.parent.name]
    event_type, _, version = file.stem.rpartition(".v")
    codec = EventCodec(definition.events)
    event = codec.decode(event_type, int(version), file.read_bytes())
    return event, int(version) == event.schema_version


def test_every_message_has_a_golden_file() -> None:
    assert missing({message.name: wire_path(message) for message in MESSAGES.values()}) == []


@pytest.mark.parametrize("service", ServiceName)
def test_every_version_of_every_log_event_has_a_golden_file(service: str) -> None:
    places = {
        f"{event.event_type}.v{version}": log_path(service, event, version)
        for event in DEFINITIONS[service].events
        for version in range(1, event.schema_version + 1)
    }
    assert missing(places) == []


@pytest.mark.parametrize("service", ServiceName)
def test_every_event_class_of_a_domain_is_declared(service: str) -> None:
    module = importlib.import_module(f"services.{service}.domain.events")
    classes = [item for item in vars(module).values() if isinstance(item, type) and issubclass(item, DomainEvent)]
    assert {item for item in classes if item is not DomainEvent} == set(DEFINITIONS[service].events)


@pytest.mark.parametrize("service", ServiceName)
def test_every_public_event_class_is_declared(service: str) -> None:
    module = importlib.import_module(f"contracts.{service}.v1")
    classes = [item for item in vars(module).values() if isinstance(item, type) and issubclass(item, PublicEvent)]
    declared = {message.model for message in MESSAGES.values() if message.sender == service}
    assert {item for item in classes if item is not PublicEvent} == declared


@pytest.mark.parametrize("file", WIRE_FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_message_decodes_and_says_the_same_again(file: Path) -> None:
    sample = MESSAGES[file.stem].model.model_validate_json(file.read_bytes())
    assert content(sample) == json.loads(file.read_bytes())


@pytest.mark.parametrize("file", LOG_FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_log_event_decodes_and_says_the_same_again(file: Path) -> None:
    event, current = stored_event(file)
    if current:
        assert content(event) == json.loads(file.read_bytes())
    else:
        # An older version is read through its upcasters; from then on it is an event like any other.
        assert type(event).model_validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize("file", LOG_FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_a_log_event_tells_the_world_can_be_read_by_the_world(file: Path) -> None:
    event, _ = stored_event(file)
    recorded = Recorded(0, 1, "stream", 1, event, RECORDED_AT, {}, bytes(32))
    outgoing = DEFINITIONS[file.parent.name].to_wire(recorded)
    told = [] if outgoing is None else [outgoing.event, *([outgoing.notice.message] if outgoing.notice else [])]
    for message in told:
        assert type(message).model_validate_json(message_bytes(message)) == message


def test_a_golden_file_is_never_written_again(tmp_path: Path) -> None:
    sample = PaymentConfirmed(contract_id="0123456789ABCDEF", channel="shop", order_no="O-1")
    file = tmp_path / "policy" / "sample.json"
    assert write_missing(file, sample)
    assert json.loads(file.read_text(encoding="utf-8")) == content(sample)
    file.write_text("{}", encoding="utf-8")
    assert not write_missing(file, sample)
    assert file.read_text(encoding="utf-8") == "{}"


def test_a_missing_golden_file_is_named() -> None:
    places = {"policy.lapsed": GOLDEN / "log" / "policy" / "policy.lapsed.v1.json"}
    assert missing(places) == ["policy.lapsed: log/policy/policy.lapsed.v1.json"]
