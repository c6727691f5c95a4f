"""The events of a dossier as they are told: content parsed, amounts in words, one sentence for each event."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Literal, TypeAlias

import yaml

from contracts.vocabulary.money import format_minor
from services.cli.dossier.document import Dossier
from services.kernel.proof.extract import ExtractedEvent


@dataclass(frozen=True, slots=True)
class Happening:
    """An event with its parsed content. Read as plain JSON: a dossier may be younger or older than this program."""

    service: str
    event: ExtractedEvent
    content: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The event's type."""
        return self.event.type

    @property
    def recorded(self) -> str:
        """When we learnt it."""
        return moment(self.event.recorded_at)


def happenings(dossier: Dossier) -> list[Happening]:
    """All events in the order in which they were recorded."""
    order = {part.service: place for place, part in enumerate(dossier.parts)}
    told = [Happening(part.service, event, _content(event)) for part in dossier.parts for event in part.events]
    return sorted(told, key=lambda one: (one.event.recorded_at, order[one.service], one.event.position))


def _content(event: ExtractedEvent) -> Mapping[str, Any]:
    try:
        found = json.loads(event.data)
    except ValueError:
        return {"unreadable": event.data}
    return found if isinstance(found, dict) else {"content": found}


def of_type(told: Iterable[Happening], *types: str) -> list[Happening]:
    """Those of these types."""
    return [one for one in told if one.type in types]


def moment(value: object) -> str:
    """A moment in UTC; what is none is shown as it is."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at.tzinfo else str(value)


def money(amount_minor: object, currency: object) -> str:
    """An amount with its currency; what is none is shown as it is."""
    if not isinstance(amount_minor, int) or isinstance(amount_minor, bool) or not isinstance(currency, str):
        return "" if amount_minor is None else str(amount_minor)
    try:
        return f"{format_minor(amount_minor, currency)} {currency}"
    except ValueError:
        return f"{amount_minor} minor units of {currency}"


def period(content: Mapping[str, Any]) -> str:
    """The days of cover of terms or of an event."""
    found = content.get("period") or {}
    return f"{found.get('effective')} to {found.get('expiry')} (first day without cover)" if found else ""


def reasons(faults: Sequence[Mapping[str, Any]] | None) -> str:
    """What was found wrong, in sentences."""
    return "; ".join(f"{fault.get('message') or fault.get('code')} [{fault.get('code')}]" for fault in faults or ())


Language: TypeAlias = Literal["en", "zh"]

_SENTENCES: Mapping[str, Mapping[Language, str]] = yaml.safe_load(
    resources.files("services.cli.dossier").joinpath("sentences.yaml").read_text("utf-8")
)


def is_told(event_type: str) -> bool:
    """Whether events of this type have a sentence of their own."""
    return event_type in _SENTENCES


def sentence(one: Happening, language: Language = "en") -> str:
    """What happened, in one sentence; an event that this program does not know is told by its type and fields."""
    templates = _SENTENCES.get(one.type)
    if templates is None:
        said = ", ".join(
            f"{name.replace('_', ' ')} {value}"
            for name, value in one.content.items()
            if isinstance(value, str | int) and name != "contract_id"
        )
        return f"{one.type.replace('.', ': ').replace('_', ' ')} ({said})"
    return "".join(_filled(one.content, templates[language], language))


def _filled(content: Mapping[str, Any], template: str, language: Language) -> Iterable[str]:
    for place, piece in enumerate(template.replace("}", "{").split("{")):
        if place % 2 == 0:
            yield piece
            continue
        name, _, form = piece.partition("!")
        value: Any = content
        currency = content.get("currency")
        for step in name.split("."):
            within = value if isinstance(value, Mapping) else {}
            currency, value = within.get("currency", currency), within.get(step)
        yield money(value, currency) if form == "a" else _told(value, form, language)


def _told(value: Any, form: str, language: Language) -> str:
    match form:
        case "m":
            return moment(value)
        case "r":
            return reasons(value)
        case "f":
            return _fired(value, language)
        case "b":
            return _phrase("_by", language).format(value) if value else _phrase("_by_rule", language)
        case "p":
            return _phrase("_by", language).format(value) if value else ""
        case "w":
            return _phrase("_why", language).format(value) if value else ""
        case "l":
            return ", ".join(map(str, value or ())) or "-"
        case "o":
            return "" if value is None else str(value)
        case _:
            return "-" if value is None else str(value)


def _phrase(name: str, language: Language) -> str:
    return _SENTENCES[name][language]


def _fired(rules: Sequence[Mapping[str, Any]] | None, language: Language) -> str:
    """Why underwriting rules fired, each reason once: a rule may fire for several insured persons."""
    told = (f"{rule.get(f'reason_{language}') or rule.get('code')} [{rule.get('code')}]" for rule in rules or ())
    listed = _phrase("_between", language).join(dict.fromkeys(told))
    return _phrase("_fired", language).format(listed) if listed else _phrase("_none_fired", language)
