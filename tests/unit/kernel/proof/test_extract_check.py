"""An extract proves itself with public keys alone; whatever is done to it afterwards shows, and where."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.kernel.log.chain import next_digest
from services.kernel.log.event_log import StoredEvent
from services.kernel.proof.checkpoint import Checkpoint
from services.kernel.proof.extract import Extract, ExtractedEvent, statement_text
from services.kernel.proof.extract_check import CheckedExtract, check_extract
from services.kernel.proof.finding import Finding, Wrong
from services.kernel.proof.signed_note import SignedNote, SigningKey, written
from tests.support.checkpoints import new_key
from tests.support.extracts import PARTITION, START, log_of, run_over, signed_extract

OWN, OTHER = "policy-MINE", "policy-OTHER"


@dataclass(frozen=True)
class Made:
    """An extract of two streams' log, and what it was made from."""

    key: SigningKey
    log: Sequence[StoredEvent]
    extract: Extract

    def check(self, extract: Extract) -> CheckedExtract:
        """The check with the service's own key."""
        return check_extract(extract, [self.key.public])

    def first(self, **changes: Any) -> Finding:
        """What is wrong first once these fields of the extract are changed."""
        return self.check(self.extract.model_copy(update=changes)).findings[0]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    key = new_key(tmp_path)
    said = [OWN, OTHER, OWN, OWN, OTHER, OWN, OTHER]
    log = log_of([(stream, "policy.issued", {"n": n, "name": "王小明"}) for n, stream in enumerate(said)])
    return Made(key, log, signed_extract(key, "MINE", log, [OWN]))


def test_an_extract_is_proved_event_by_event(made: Made) -> None:
    checked = made.check(made.extract)
    assert checked.findings == ()
    assert set(checked.proved_by) == {(PARTITION, position) for position in (1, 3, 4, 6)}
    assert checked.complete


def test_it_stays_so_through_json(made: Made) -> None:
    again = Extract.model_validate_json(made.extract.model_dump_json())
    assert again == made.extract
    assert made.check(again).findings == ()


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("partition", lambda event: event.partition + 1),
        ("position", lambda event: event.position + 1),
        ("stream", lambda event: f"{event.stream}X"),
        ("version", lambda event: event.version + 1),
        ("type", lambda event: "policy.renewed"),
        ("schema_version", lambda event: 2),
        ("recorded_at", lambda event: event.recorded_at + timedelta(microseconds=1)),
        ("data", lambda event: event.data.replace("王小明", "李小明")),
        ("meta", lambda event: event.meta.replace("river", "rover")),
        ("before", lambda event: "00" * 32),
        ("before", lambda event: "no digest"),
        ("digest", lambda event: "00" * 32),
        ("version", lambda event: -1),
        ("position", lambda event: 2**70),
    ],
)
def test_one_altered_field_is_named_with_its_event(
    made: Made, field: str, changed: Callable[[ExtractedEvent], Any]
) -> None:
    event = made.extract.events[2]
    altered = event.model_copy(update={field: changed(event)})
    events = (*made.extract.events[:2], altered, made.extract.events[3])
    checked = made.check(made.extract.model_copy(update={"events": events}))
    assert checked.findings
    found = [finding for finding in checked.findings if finding.what is Wrong.ALTERED]
    assert found[0].position == altered.position


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_an_event_that_was_left_out_is_named(made: Made, place: int) -> None:
    events = made.extract.events
    rest = (*events[:place], *events[place + 1 :])
    first = made.first(events=rest)
    assert (first.what, first.stream) == (Wrong.MISSING, OWN)
    assert first.position <= events[min(place + 1, 3)].position


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_an_event_that_was_left_out_shows_without_the_runs_too(made: Made, place: int) -> None:
    events = made.extract.events
    first = made.first(events=(*events[:place], *events[place + 1 :]), runs=())
    assert first.what is Wrong.MISSING


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_gap_shows_where_nothing_is_signed(made: Made, place: int) -> None:
    events = made.extract.events
    first = made.first(events=(*events[:place], *events[place + 1 :]), runs=(), statement=None)
    assert (first.what, first.position) == (Wrong.MISSING, events[place + 1].position)


def test_an_event_that_does_not_follow_its_neighbour_is_named(made: Made) -> None:
    """Its digest fits what it says of itself, and nothing is signed; the event before it says otherwise."""
    one, two, three, four = made.extract.events
    before = bytes(32)
    forged = three.model_copy(update={"before": before.hex(), "digest": next_digest(before, three.link).hex()})
    first = made.first(events=(one, two, forged, four), runs=(), statement=None)
    assert (first.what, first.position) == (Wrong.ALTERED, three.position)


def test_two_events_that_changed_places_are_named(made: Made) -> None:
    one, two, three, four = made.extract.events
    checked = made.check(made.extract.model_copy(update={"events": (one, three, two, four)}))
    assert [(finding.what, finding.position) for finding in checked.findings] == [(Wrong.REORDERED, two.position)]


def test_two_contents_that_changed_places_are_named(made: Made) -> None:
    one, two, three, four = made.extract.events
    swapped = (one, two.model_copy(update={"data": three.data}), three.model_copy(update={"data": two.data}), four)
    checked = made.check(made.extract.model_copy(update={"events": swapped}))
    altered = [finding.position for finding in checked.findings if finding.what is Wrong.ALTERED]
    assert altered[:2] == [two.position, three.position]


def test_a_history_that_was_computed_anew_is_not_what_was_signed(made: Made) -> None:
    """All digests fit each other; the checkpoint's signature does not cover them."""
    log = log_of([(link.stream, link.type, {"n": link.position, "name": "李小明"}) for link, _ in made.log])
    forged = signed_extract(made.key, "MINE", log, [OWN])
    kept = made.extract.runs[0].checkpoint
    runs = (forged.runs[0].model_copy(update={"checkpoint": kept}),)
    checked = made.check(forged.model_copy(update={"runs": runs, "statement": made.extract.statement}))
    assert checked.findings[0].what in (Wrong.REWRITTEN, Wrong.MISSING)
    assert checked.proved_by == {}
    assert not checked.complete


def test_another_key_proves_nothing(made: Made, tmp_path: Path) -> None:
    other = new_key(tmp_path, "other")
    forged = signed_extract(other, "MINE", made.log, [OWN])
    checked = made.check(forged)
    assert {finding.what for finding in checked.findings} == {Wrong.CHECKPOINT}
    assert (checked.proved_by, checked.complete) == ({}, False)
    assert check_extract(made.extract, []).proved_by == {}


def test_a_signature_over_another_text_proves_nothing(made: Made) -> None:
    run = made.extract.runs[0]
    note = SignedNote.parse(run.checkpoint).text
    altered = run.checkpoint.replace(note.splitlines()[4], "time 2026-01-05T08:31:00.123457+00:00")
    assert altered != run.checkpoint
    first = made.first(runs=(run.model_copy(update={"checkpoint": altered}),))
    assert first.what is Wrong.CHECKPOINT


def test_a_link_that_was_altered_breaks_its_run(made: Made) -> None:
    run = made.extract.runs[0]
    link = run.links[4].model_copy(update={"data_sha256": "00" * 32})
    links = (*run.links[:4], link, *run.links[5:])
    checked = made.check(made.extract.model_copy(update={"runs": (run.model_copy(update={"links": links}),)}))
    assert (checked.findings[0].what, checked.findings[0].position) == (Wrong.ALTERED, 6)
    assert checked.proved_by == {}


def test_without_runs_nothing_is_proved_but_nothing_is_wrong(made: Made) -> None:
    checked = made.check(made.extract.model_copy(update={"runs": ()}))
    assert (checked.findings, checked.proved_by) == ((), {})


def test_a_statement_about_something_else_is_not_taken(made: Made) -> None:
    text = statement_text("tally", "OTHER", START, made.extract.events)
    first = made.first(statement=written(text, [made.key]))
    assert first.what is Wrong.CHECKPOINT


def test_an_empty_extract_proves_that_there_is_nothing(made: Made) -> None:
    empty = signed_extract(made.key, "MINE", made.log, [])
    assert made.check(empty).complete
    added = empty.model_copy(update={"events": made.extract.events, "runs": made.extract.runs})
    assert made.check(added).findings[0].what is Wrong.INSERTED


def test_a_statement_cannot_be_taken_for_a_checkpoint(made: Made) -> None:
    with pytest.raises(ValueError, match="checkpoint"):
        Checkpoint.parse(statement_text("tally", "1", START, made.extract.events))


def test_a_run_may_begin_at_the_first_event_only(made: Made) -> None:
    """Runs begin in the middle of a log: what comes before the first event is not needed."""
    run = run_over(made.key, made.log)
    later = run.model_copy(update={"position": 2, "digest": made.log[1].digest.hex(), "links": run.links[2:]})
    checked = made.check(made.extract.model_copy(update={"runs": (later,)}))
    assert checked.findings == ()
    assert set(checked.proved_by) == {(PARTITION, position) for position in (3, 4, 6)}
