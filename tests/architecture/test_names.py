"""Names say what a thing is: no drawer for everything, commands as orders, events as facts."""

import importlib
import re
from collections.abc import Iterable, Iterator

import pytest

from contracts.schema_files import EVENTS_BY_SERVICE
from contracts.topics import ServiceName
from tests.architecture.sources import Source, planted, sources

BANNED_WORDS = frozenset(
    ("util", "utils", "common", "helper", "helpers", "manager", "managers", "data", "info", "base", "misc")
)
BANNED_FUNCTIONS = frozenset(("process_message", "handle_message", "do_work", "process"))

# Past participles that do not end in -ed.
_IRREGULAR = frozenset(
    ("Paid", "Withdrawn", "Written", "Sent", "Lost", "Found", "Sold", "Held", "Begun", "Left", "Taken")
)


def empty_names(source: Source) -> Iterator[str]:
    """Modules and classes with a banned word, and functions whose name ends in one or is banned whole."""
    for word in BANNED_WORDS & set(source.module.split("_")):
        yield f"{source.path}: a module called {word!r} has no single job; name it after what it does"
    for node in source.classes():
        for word in BANNED_WORDS & {part.lower() for part in _words(node.name)}:
            yield f"{source.path}:{node.lineno} class {node.name}: {word!r} says nothing; name what it is"
    for function in source.functions():
        if function.name.startswith("test_"):
            continue  # a test is named by a sentence, and a sentence may end as it likes
        words = function.name.strip("_").split("_")
        if function.name.strip("_") in BANNED_FUNCTIONS or (words[-1] in BANNED_WORDS):
            yield f"{source.path}:{function.lineno} function {function.name} says nothing; name what it does"


def badly_named_facts(names: Iterable[str]) -> Iterator[str]:
    """Events that are no facts in the past tense."""
    for name in names:
        last = _words(name)[-1]
        if last in {"Event", "Command"}:
            yield f"{name}: what it is stands in its module; leave {last!r} out"
        elif not last.endswith("ed") and last not in _IRREGULAR:
            yield f"{name}: an event is a fact in the past tense"


def badly_named_orders(names: Iterable[str]) -> Iterator[str]:
    """Commands that do not begin with a verb in the imperative, as far as spelling can tell."""
    for name in names:
        words = _words(name)
        if words[-1] in {"Event", "Command"}:
            yield f"{name}: what it is stands in its module; leave {words[-1]!r} out"
        elif words[-1].endswith("ed") and len(words) > 1 and words[0] not in {"Record", "Confirm"}:
            yield f"{name}: a command is an order, not a fact"


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+", name) or [name]


def test_no_name_is_a_drawer_for_everything() -> None:
    assert [fault for source in sources() for fault in empty_names(source)] == []


@pytest.mark.parametrize("service", ServiceName)
def test_events_are_facts_in_the_past_tense(service: str) -> None:
    private = getattr(importlib.import_module(f"services.{service}.domain.events"), f"{service.upper()}_EVENTS")
    public = EVENTS_BY_SERVICE[service]
    assert list(badly_named_facts(event.__name__ for event in (*private, *public))) == []


@pytest.mark.parametrize("service", ServiceName)
def test_commands_are_orders(service: str) -> None:
    module = importlib.import_module(f"services.{service}.domain.commands")
    commands = getattr(module, f"{service.capitalize()}Command").__args__
    assert commands
    assert list(badly_named_orders(command.__name__ for command in commands)) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "services/policy/utils.py"),
        ("", "services/common/__init__.py"),
        ("", "services/policy/policy_helpers.py"),
        ("class PolicyManager: ...", "services/policy/x.py"),
        ("class BaseQuery: ...", "services/policy/x.py"),
        ("class PolicyInfo: ...", "services/policy/x.py"),
        ("def process_message(m): ...", "services/policy/x.py"),
        ("async def _load_data(m): ...", "services/policy/x.py"),
    ],
)
def test_an_empty_name_is_seen(text: str, path: str) -> None:
    assert len(list(empty_names(planted(text, path)))) == 1


def test_a_telling_name_is_left_alone() -> None:
    text = "class DatabaseFolder: ...\ndef data_folder(): ...\ndef basis_points(): ..."
    assert list(empty_names(planted(text, "services/policy/database.py"))) == []


def test_an_event_that_is_no_fact_is_seen() -> None:
    assert len(list(badly_named_facts(["PolicyIssuedEvent", "IssuePolicy", "PolicyIssue"]))) == 3
    assert list(badly_named_facts(["PolicyIssued", "ClaimPaid", "ProductWithdrawn"])) == []


def test_a_command_that_is_no_order_is_seen() -> None:
    assert len(list(badly_named_orders(["IssuePolicyCommand", "PolicyIssued"]))) == 2
    assert list(badly_named_orders(["IssuePolicy", "ConfirmPayment"])) == []
