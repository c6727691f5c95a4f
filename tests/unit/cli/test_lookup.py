"""`pledger show`: each of its commands knows where its document is, and which rows of which stream it was."""

from typing import Any

import pytest

from contracts.topics import ServiceName
from services.billing.inbound import stream_of as account_stream
from services.claims.inbound import stream_of as cover_stream
from services.cli import lookup
from services.policy.inbound import stream_of as policy_stream
from services.quote.inbound import application_stream

MOMENT = "2026-11-23T14:00:00Z"
FOUND = {"contract_id": "C1"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was looked up: paths of the API, and moments of streams."""
    calls: list[tuple[Any, ...]] = []

    def get(stack: object, service: str, path: str) -> Any:
        calls.append((service, path))
        return [] if path.endswith(("postings", "history")) else FOUND

    monkeypatch.setattr(lookup, "running_stack", lambda: None)
    monkeypatch.setattr(lookup, "get", get)
    monkeypatch.setattr(lookup, "show_contract_as_of", lambda *known: calls.append(known))
    return calls


def _show(what: str, moment: str | None) -> None:
    match what:
        case "order":
            lookup.show_order("shop", "O-1", moment)
        case "policy":
            lookup.show_policy("P-1", moment)
        case "account":
            lookup.show_account("C1", moment)
        case _:
            lookup.show_claim("N-1", moment)


@pytest.mark.parametrize(
    ("what", "paths"),
    [
        ("order", [(ServiceName.QUOTE, "/channels/shop/orders/O-1")]),
        ("policy", [(ServiceName.POLICY, "/policies/P-1"), (ServiceName.POLICY, "/contracts/C1/history")]),
        ("account", [(ServiceName.BILLING, "/accounts/C1"), (ServiceName.BILLING, "/accounts/C1/postings")]),
        ("claim", [(ServiceName.CLAIMS, "/claims/N-1")]),
    ],
)
def test_as_it_is(asked: list[tuple[Any, ...]], what: str, paths: list[tuple[str, str]]) -> None:
    _show(what, None)
    assert asked == paths


@pytest.mark.parametrize(
    ("what", "known"),
    [
        (
            "order",
            (ServiceName.QUOTE, application_stream("shop", "O-1", "C1"), {"channel": "shop", "order_no": "O-1"}),
        ),
        ("policy", (ServiceName.POLICY, policy_stream("C1"), {"policy_no": "P-1"})),
        ("account", (ServiceName.BILLING, account_stream("C1"), {"contract_id": "C1"})),
        ("claim", (ServiceName.CLAIMS, cover_stream("C1"), {"claim_no": "N-1"})),
    ],
)
def test_as_it_was(asked: list[tuple[Any, ...]], what: str, known: tuple[str, str, dict[str, str]]) -> None:
    _show(what, MOMENT)
    service, stream, keep = known
    assert asked[-1][1:] == (service, "C1", stream, MOMENT, keep)
    assert len(asked) == (1 if what == "account" else 2)
