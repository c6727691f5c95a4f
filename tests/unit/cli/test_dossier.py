"""A dossier as people read it and as anybody verifies it: page and document say the same; a change of either shows."""

import dataclasses
import importlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.topics import ServiceName
from services.cli import app
from services.cli.console import Failure
from services.cli.dossier.document import Dossier, read
from services.cli.dossier.page import page
from services.cli.dossier.story import Happening, happenings, is_told, money, sentence
from services.kernel.proof.checkpoint import origin_of
from services.kernel.proof.signed_note import create_key
from tests.support.extracts import START, Said, log_of, signed_extract
from tests.support.golden import GOLDEN

CONTRACT = "3GKJKPRNZDSMM3A5"
EVIDENCE = {
    "source": "short video",
    "page_path": "/motor/offer",
    "pages": [
        {
            "page_id": "motor.wording",
            "version": "2025.2",
            "sha256": "ab" * 32,
            "seen_at": "2025-12-20T09:58:00Z",
            "action": "read-to-end",
        }
    ],
    "disclosures": [{"code": "exclusions", "version": "1.1", "acknowledged_at": "2025-12-20T09:59:00Z"}],
    "consents": [{"purpose": "marketing", "version": "2", "given": False, "stated_at": "2025-12-20T09:59:30Z"}],
}


def said_by(service: str) -> list[Said]:
    """One event of each kind, as the golden files have them; the order with evidence and a name that is markup."""
    said: list[Said] = []
    for file in sorted((GOLDEN / "log" / service).glob("*.v1.json")):
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        if file.stem == "quote.application_submitted.v1":
            order = {**content["order"], "policyholder_name": "</script><b>王 & Söhne", "evidence": EVIDENCE}
            content = {**content, "order": order}
        said.append((f"{service}-{CONTRACT}", file.stem.removesuffix(".v1"), content))
    return [*said, (f"{service}-{CONTRACT}", f"{service}.moon_seen", {"phase": "full", "nights": 3})]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dossier in both forms and the public keys."""
    made = tmp_path_factory.mktemp("dossier")
    keys = {service: create_key(made / f"{service}.pem", origin_of(service)) for service in ServiceName}
    parts = [
        signed_extract(key, CONTRACT, log_of(said_by(service)), [f"{service}-{CONTRACT}"])
        for service, key in keys.items()
    ]
    dossier = Dossier(contract_id=CONTRACT, made_at=START, parts=tuple(parts))
    (made / "keys").write_text("".join(f"{key.public.text}\n" for key in keys.values()))
    (made / "dossier.html").write_text(page(dossier), encoding="utf-8")
    (made / "dossier.json").write_text(dossier.as_json(), encoding="utf-8")
    return made


def verify(folder: Path, name: str, text: str | None = None) -> tuple[int, str]:
    """Exit code and output of `pledger dossier verify`, of the file or of a text in its place."""
    file = folder / name
    if text is not None:
        file = folder / f"changed-{name}"
        file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["dossier", "verify", str(file), "--keys", str(folder / "keys")])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def changed(folder: Path, change: Callable[[list[dict[str, Any]]], object]) -> str:
    """The document after `change(events of policy)`."""
    document = json.loads((folder / "dossier.json").read_text("utf-8"))
    change(next(part for part in document["parts"] if part["service"] == "policy")["events"])
    return json.dumps(document)


@pytest.mark.parametrize("name", ["dossier.html", "dossier.json"])
def test_a_dossier_is_intact_in_both_forms(folder: Path, name: str) -> None:
    code, output = verify(folder, name)
    assert (code, "intact." in output) == (0, True), output


def test_the_page_holds_the_document_and_is_made_of_it_alone(folder: Path) -> None:
    text = (folder / "dossier.html").read_text("utf-8")
    assert read(text) == read((folder / "dossier.json").read_text("utf-8"))
    assert page(read(text)) == text


def test_an_altered_field_is_named_with_its_event(folder: Path) -> None:
    def alter(events: list[dict[str, Any]]) -> None:
        events[1]["data"] = events[1]["data"].replace("TQ9Z", "TQ9X").replace("contract", "contrakt")

    code, output = verify(folder, "dossier.json", changed(folder, alter))
    assert (code, "The first that is wrong: policy 3/2, altered" in output) == (1, True), output


def test_an_event_that_was_left_out_is_named(folder: Path) -> None:
    code, output = verify(folder, "dossier.json", changed(folder, lambda events: events.pop(1)))
    assert (code, "The first that is wrong: policy 3/2, missing" in output) == (1, True), output


def test_the_last_event_cannot_be_left_out_either(folder: Path) -> None:
    code, output = verify(folder, "dossier.json", changed(folder, lambda events: events.pop()))
    assert (code, "missing" in output) == (1, True), output


def test_two_events_that_changed_places_are_named(folder: Path) -> None:
    def swap(events: list[dict[str, Any]]) -> None:
        events[1], events[2] = events[2], events[1]

    code, output = verify(folder, "dossier.json", changed(folder, swap))
    assert (code, "The first that is wrong: policy 3/2, out of order" in output) == (1, True), output


def test_a_part_that_is_missing_or_of_another_contract_shows(folder: Path) -> None:
    document = json.loads((folder / "dossier.json").read_text("utf-8"))
    without = {**document, "parts": [part for part in document["parts"] if part["service"] != "claims"]}
    code, output = verify(folder, "dossier.json", json.dumps(without))
    assert (code, "claims, missing" in output) == (1, True), output
    code, output = verify(folder, "dossier.json", json.dumps({**document, "contract_id": "0000000000000000"}))
    assert (code, f"one about {CONTRACT}" in output) == (1, True), output


def test_a_page_whose_words_were_changed_shows_though_its_events_are_right(folder: Path) -> None:
    text = (folder / "dossier.html").read_text("utf-8")
    altered = text.replace("read-to-end", "opened", 1)
    assert read(altered) == read(text)
    code, output = verify(folder, "dossier.html", altered)
    assert (code, "The first that is wrong: page, altered" in output) == (1, True), output


def test_a_page_of_another_edition_is_not_called_intact(folder: Path) -> None:
    text = (folder / "dossier.html").read_text("utf-8").replace('"page_edition":2', '"page_edition":0')
    code, output = verify(folder, "dossier.html", text)
    assert (code, "not proved: page" in output) == (1, True), output


def test_without_the_right_keys_nothing_is_called_proved(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(create_key(tmp_path / "x.pem", origin_of("elsewhere")).public.text + "\n")
    done = CliRunner().invoke(
        app, ["dossier", "verify", str(folder / "dossier.json"), "--keys", str(tmp_path / "keys")]
    )
    assert (done.exit_code, "intact." in done.output, "not proved" in done.output) == (1, False, True)


@pytest.mark.parametrize("text", ["", "{}", "<html></html>", "no dossier"])
def test_another_file_is_no_dossier(text: str) -> None:
    with pytest.raises(Failure, match="no dossier"):
        read(text)


class _Tags(HTMLParser):
    """Sees that every element is closed in its turn, and counts those of each name."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def take_text(self, data: str) -> None:
        if self.open[-1:] != ["script"]:
            self.text.append(data)

    handle_data = take_text


def test_the_page_is_sound_html_and_no_name_becomes_markup(folder: Path) -> None:
    tags = _Tags()
    tags.feed((folder / "dossier.html").read_text("utf-8"))
    assert tags.open == []
    assert tags.names.count("script") == 1
    assert "b" not in tags.names
    assert "</script><b>王 & Söhne" in tags.text


def test_the_page_needs_nothing_from_outside(folder: Path) -> None:
    text = (folder / "dossier.html").read_text("utf-8")
    assert not any(word in text for word in (" src=", "<link", "@import", "url("))


@pytest.mark.parametrize(
    "words",
    [
        "motor.wording",
        "2025.2",
        "ab" * 32,
        "2025-12-20 09:58:00 UTC",
        "short video",
        "/motor/offer",
        "exclusions",
        "可回溯",
    ],
)
def test_the_evidence_is_on_the_page(folder: Path, words: str) -> None:
    tags = _Tags()
    tags.feed((folder / "dossier.html").read_text("utf-8"))
    assert any(words in text for text in tags.text)


def test_every_event_is_told_even_one_that_nobody_knows_here(folder: Path) -> None:
    told = happenings(read((folder / "dossier.json").read_text("utf-8")))
    sentences = {one.type: sentence(one) for one in told}
    assert sentences["policy.moon_seen"] == "policy: moon seen (phase full, nights 3)"
    assert all("{" not in text and "None" not in text for text in sentences.values()), sentences


EVENT_TYPES = sorted(
    {
        event.event_type
        for service in ServiceName
        for event in importlib.import_module(f"services.{service}.app").DEFINITION.events
    }
)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_event_type_has_a_sentence_of_its_own_in_both_languages(event_type: str, folder: Path) -> None:
    assert is_told(event_type)
    told = happenings(read((folder / "dossier.json").read_text("utf-8")))
    samples = [one for one in told if one.type == event_type]
    assert samples
    for one in samples:
        english, chinese = sentence(one), sentence(one, "zh")
        assert "{" not in english + chinese
        assert "None" not in english + chinese
        assert re.search("[\u4e00-\u9fff]", chinese), chinese
        assert english.endswith((".", "?", "!")) or ": " in english


def test_a_referral_is_told_with_the_reasons_of_the_rules_and_who_decided(folder: Path) -> None:
    told = {one.type: one for one in happenings(read((folder / "dossier.json").read_text("utf-8")))}
    referred = told["quote.application_referred"]
    first = referred.content["reasons"][0]
    assert f"{first['reason_en']} [{first['code']}]" in sentence(referred)
    assert f"{first['reason_zh']} [{first['code']}]" in sentence(referred, "zh")
    accepted = Happening("quote", referred.event, {"decided_by": "Eve", "reason": "seen the report", "terms": {}})
    accepted = dataclasses.replace(accepted, event=told["quote.application_accepted"].event)
    assert sentence(accepted).endswith(" by Eve: seen the report.")
    assert "without a person, by rule" in sentence(told["quote.application_accepted"])


def test_an_event_that_lacks_what_is_told_of_it_is_told_all_the_same(folder: Path) -> None:
    told = happenings(read((folder / "dossier.json").read_text("utf-8")))
    for one in told:
        assert sentence(Happening(one.service, one.event, {}))


def test_amounts_are_shown_in_the_currency_s_own_units() -> None:
    assert money(123_456, "EUR") == "1,234.56 EUR"
    assert money(None, "EUR") == ""
    assert money("12", "EUR") == "12"
