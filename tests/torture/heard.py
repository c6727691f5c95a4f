"""What the channels were told, compared with what the journal expects: each message has ended exactly once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from contracts.envelope import event_type_of
from contracts.vocabulary.faults import FaultCode
from services.demo.raw import Outcome
from tests.torture.journal import Entry

_EXPECTED = {
    Outcome.ISSUED: ("accepted", "issued"),
    Outcome.RENEWED: ("accepted", "renewed"),
    Outcome.MATCHED: ("booked",),
    Outcome.APPROVED: ("registered", "approved", "paid"),
    Outcome.AWAITING_APPROVAL: ("registered",),
    Outcome.WITHDRAWN: ("withdrawn",),
    Outcome.ZERO: ("registered", "approved"),
    Outcome.REFERRED: ("referred",),
    Outcome.OFFERED: ("offered",),
}
_MAY_FOLLOW = {Outcome.AWAITING_PAYMENT: "issued"}

Told = Mapping[tuple[str, str], Counter[str]]


def told_by(notices: Mapping[str, Iterable[ConsumerRecord]]) -> tuple[Told, dict[str, Counter[str]]]:
    """What each channel was told of each number, and its refusals by code. Repetitions do not count."""
    told: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    refused: dict[str, Counter[str]] = defaultdict(Counter)
    for channel, records in notices.items():
        for record in records:
            if "repeated" in dict(record.headers):
                continue
            notice = orjson.loads(record.value)
            word = _word((event_type_of(record.headers) or "").removeprefix("notice."), notice)
            reference = next(
                (notice[name] for name in ("order_no", "payment_no", "notice_no", "reference") if notice.get(name)), ""
            )
            if word.startswith("refused:"):
                refused[channel][word.removeprefix("refused:")] += 1
            elif word:
                told[channel, reference][word] += 1
    return told, refused


def _word(kind: str, notice: Mapping[str, Any]) -> str:
    faults = notice.get("faults") or []
    code = f"refused:{faults[0]['code']}" if faults else ""
    match kind:
        case "order_accepted":
            return "accepted"
        case "order_referred":
            return "referred"
        case "counter_offered":
            return "offered"
        case "policy_issued":
            return "renewed" if notice["renewal"] else "issued"
        case "order_withdrawn":
            return "withdrawn"
        case "claim_registered":
            return "registered"
        case "claim_paid":
            return "paid"
        case "claim_decided":
            return "approved" if notice["approved"] else code
        case "payment_booked":
            return code or "booked"
        case "invoice_issued":
            return ""
        case _:
            return code


def difference(entries: Iterable[Entry], told: Told, refused: Mapping[str, Counter[str]]) -> str | None:
    """The first message that did not end as it must, or ended twice; nothing where all is right."""
    wanted: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    optional: dict[tuple[str, str], str] = {}
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    seen: set[tuple[str, bytes]] = set()
    for entry in entries:
        content = (entry.channel, entry.value or b"")
        if entry.copy or entry.expected == Outcome.REPEATED or content in seen:
            continue
        seen.add(content)
        place = (entry.channel, entry.reference)
        if entry.expected in _EXPECTED:
            wanted[place].update(_EXPECTED[Outcome(entry.expected)])
        elif entry.expected == Outcome.AWAITING_PAYMENT:
            wanted[place]["accepted"] += 1
            optional[place] = _MAY_FOLLOW[Outcome.AWAITING_PAYMENT]
        else:
            codes[entry.channel][str(entry.expected)] += 1
            if entry.expected == FaultCode.OVERLAPPING_TERM:
                # Quote accepts it, policy cannot issue it.
                wanted[place]["accepted"] += 1
            if entry.kind == "claims" and place not in wanted:
                # A claim that is declined in the end may have had a number first.
                optional[place] = "registered"
    for place in sorted(wanted.keys() | told.keys()):
        heard = Counter(told.get(place, {}))
        follows = optional.get(place)
        if follows and heard[follows] == 1:
            del heard[follows]
        if heard != wanted.get(place, Counter()):
            return f"{' '.join(place)}: told {dict(told.get(place, {}))}, expected {dict(wanted.get(place, {}))}"
    for channel in sorted(codes.keys() | refused.keys()):
        if codes[channel] != refused.get(channel, Counter()):
            found = refused.get(channel, Counter())
            missing, surplus = codes[channel] - found, found - codes[channel]
            return f"{channel}: refusals that are missing {dict(missing)}, that are too many {dict(surplus)}"
    return None
