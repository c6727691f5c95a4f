"""Sale evidence of an order: its limits, its times, what the log keeps of it and what others hear."""

import json
from typing import Any

import pytest

from contracts.channel.v1 import OrderPlaced
from contracts.quote import v1
from contracts.vocabulary.evidence import CONSENTS_MAX, DISCLOSURES_MAX, PAGES_MAX
from services.kernel.messages import Recorded
from services.quote.channel_form import Malformed, read_message
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ApplicationSubmitted, OrderConflicted
from services.quote.domain.order import Order
from services.quote.outbound import to_wire
from services.quote.projections.application import application
from tests.support.builders import motor_order
from tests.unit.quote.orders import submit
from tests.unit.quote.projections.test_read_models import row
from tests.unit.quote.test_outbound import NOW

PAGE = {"page_id": "motor.wording", "version": "2025.2", "sha256": "ab" * 32, "seen_at": "2025-12-20T09:58:00Z"}
DISCLOSURE = {"code": "exclusions", "version": "1.1", "acknowledged_at": "2025-12-20T09:59:00Z"}
CONSENT = {"purpose": "personal-data", "version": "2", "given": True, "stated_at": "2025-12-20T10:00:00Z"}
EVIDENCE: dict[str, Any] = {
    "source": "short video",
    "page_path": "/motor/offer",
    "pages": [PAGE],
    "disclosures": [DISCLOSURE],
    "consents": [CONSENT],
}


def faults(evidence: dict[str, Any]) -> list[tuple[str, str]]:
    found = read_message(json.dumps(motor_order(evidence=evidence)).encode())
    assert isinstance(found, Malformed), found
    return [(fault.path, fault.message) for fault in found.faults]


def submitted(**changes: Any) -> ApplicationSubmitted:
    event = QUOTE_DECIDER.decide(submit(motor_order(**changes)), QUOTE_DECIDER.initial_state)[0]
    assert isinstance(event, ApplicationSubmitted)
    return event


def test_evidence_may_be_as_late_as_the_order_itself() -> None:
    assert isinstance(read_message(json.dumps(motor_order(evidence=EVIDENCE)).encode()), OrderPlaced)
    assert isinstance(read_message(json.dumps(motor_order(evidence={})).encode()), OrderPlaced)


def test_every_time_behind_the_order_is_named_with_its_path() -> None:
    late = "2025-12-20T10:00:00.000001Z"
    found = faults(
        {
            **EVIDENCE,
            "pages": [PAGE, {**PAGE, "seen_at": late}],
            "disclosures": [{**DISCLOSURE, "acknowledged_at": late}],
            "consents": [{**CONSENT, "stated_at": "2025-12-20T12:00:00.5+02:00"}],
        }
    )
    assert [path for path, _ in found] == [
        "evidence.pages.1.seen_at",
        "evidence.disclosures.0.acknowledged_at",
        "evidence.consents.0.stated_at",
    ]
    assert all("lies after placed_at" in message for _, message in found)


@pytest.mark.parametrize(
    ("evidence", "path", "sentence"),
    [
        ({"pages": [{**PAGE, "sha256": "AB" * 32}]}, "evidence.pages.0.sha256", "64 small hexadecimal digits"),
        ({"pages": [{**PAGE, "page_id": "x" * 65}]}, "evidence.pages.0.page_id", "1 to 64 letters"),
        ({"pages": [{**PAGE, "action": "clicked"}]}, "evidence.pages.0.action", "'opened', 'read-to-end'"),
        ({"pages": [PAGE] * (PAGES_MAX + 1)}, "evidence.pages", "at most 50 entries"),
        ({"disclosures": [DISCLOSURE] * (DISCLOSURES_MAX + 1)}, "evidence.disclosures", "at most 50 entries"),
        ({"consents": [CONSENT] * (CONSENTS_MAX + 1)}, "evidence.consents", "at most 20 entries"),
        ({"consents": [{**CONSENT, "given": "yes"}]}, "evidence.consents.0.given", "true or false"),
        ({"page_path": "motor/offer"}, "evidence.page_path", "path of a page"),
        ({"source": "s" * 101}, "evidence.source", "at most 100 characters"),
        ({"pages": [{**PAGE, "seen_at": "2025-12-20"}]}, "evidence.pages.0.seen_at", "moment with its zone"),
        ({"ip": "10.0.0.1"}, "evidence.ip", "not a field"),
    ],
)
def test_a_fault_in_the_evidence_has_its_path(evidence: dict[str, Any], path: str, sentence: str) -> None:
    ((found, message),) = faults(evidence)
    assert found == path
    assert sentence in message


def test_an_order_with_all_that_is_allowed_fits_into_a_message() -> None:
    full = {
        "source": "s" * 100,
        "page_path": "/" + "p" * 199,
        "pages": [{**PAGE, "page_id": "p" * 64, "version": "v" * 64}] * PAGES_MAX,
        "disclosures": [{**DISCLOSURE, "code": "c" * 64, "version": "v" * 64}] * DISCLOSURES_MAX,
        "consents": [{**CONSENT, "purpose": "c" * 64, "version": "v" * 64}] * CONSENTS_MAX,
    }
    message = json.dumps(motor_order(evidence=full)).encode()
    assert isinstance(read_message(message), OrderPlaced)
    assert len(message) < 40_000


def test_the_digest_of_an_order_without_evidence_is_what_it_always_was() -> None:
    assert submitted().order.digest() == "89a57efd3bfa088fb0febb15f54c5414"
    assert submitted(evidence=EVIDENCE).order.digest() != "89a57efd3bfa088fb0febb15f54c5414"


def test_an_order_stored_before_there_was_evidence_is_read_as_one_without() -> None:
    stored = submitted().order.model_dump(mode="json")
    del stored["evidence"]
    assert Order.model_validate(stored) == submitted().order


def test_the_log_keeps_the_evidence_whole() -> None:
    stored = json.loads(submitted(evidence=EVIDENCE).model_dump_json())
    kept = stored["order"]["evidence"]
    assert kept == {**EVIDENCE, "pages": [{**PAGE, "action": "opened"}]}
    assert ApplicationSubmitted.model_validate(stored) == submitted(evidence=EVIDENCE)


def test_the_same_number_with_other_evidence_is_another_order() -> None:
    first = submit(motor_order(evidence=EVIDENCE))
    state = QUOTE_DECIDER.fold(QUOTE_DECIDER.decide(first, QUOTE_DECIDER.initial_state))
    assert QUOTE_DECIDER.decide(submit(motor_order(evidence=EVIDENCE)), state) == []
    (conflict,) = QUOTE_DECIDER.decide(submit(motor_order(evidence={**EVIDENCE, "pages": []})), state)
    assert isinstance(conflict, OrderConflicted)
    assert [fault.path for fault in conflict.faults] == ["evidence"]


def test_others_hear_the_countable_part_only() -> None:
    outgoing = to_wire(Recorded(0, 1, "s", 1, submitted(evidence=EVIDENCE, campaign="spring"), NOW, {}, b""))
    assert outgoing is not None
    told = outgoing.event
    assert isinstance(told, v1.ApplicationSubmitted)
    assert (told.campaign, told.sale_source, told.page_path) == ("spring", "short video", "/motor/offer")
    assert "ab" * 32 not in told.model_dump_json()
    assert "personal-data" not in told.model_dump_json()


def test_the_read_model_has_what_is_counted() -> None:
    found = row(application, submitted(evidence=EVIDENCE, campaign="spring"))
    assert (found["campaign"], found["sale_source"], found["page_path"]) == ("spring", "short video", "/motor/offer")
    without = row(application, submitted())
    assert (without["sale_source"], without["page_path"]) == (None, None)
