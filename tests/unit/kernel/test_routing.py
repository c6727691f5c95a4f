"""Routing of foreign events: by type and version, and never by guess."""

from typing import ClassVar

import pytest
from pydantic import ValidationError

from contracts.envelope import schema_name
from contracts.vocabulary.model import PublicEvent
from services.kernel.errors import UnknownEvent
from services.kernel.messages import Delivery
from services.kernel.routing import route
from tests.support.tally import Asked, Count, NewerAsked, TallyWasOpened, on_asked, to

react = route((Asked, on_asked))


def _delivery(kind: type[PublicEvent], value: bytes | None, **headers: bytes) -> Delivery:
    found = {"ce_type": kind.event_type.encode(), "ce_dataschema": schema_name(kind).encode(), **headers}
    return Delivery("foreign.events.v1", 3, 17, b"t1", value, tuple(found.items()), 1_767_601_800_123)


COUNT = b'{"what":"count","tally":"t1","amount":5}'


def test_a_known_event_becomes_its_handlers_commands() -> None:
    assert react(_delivery(Asked, COUNT)) == (to("t1", Count("t1", 5)),)


def test_a_field_that_a_newer_producer_added_is_ignored() -> None:
    assert react(_delivery(Asked, COUNT[:-1] + b',"mood":"good"}')) == (to("t1", Count("t1", 5)),)


def test_a_type_that_nobody_asked_for_is_skipped_unread() -> None:
    assert react(_delivery(TallyWasOpened, b"\xff")) == ()
    assert react(Delivery("foreign.events.v1", 3, 17, None, b"\xff", (), 0)) == ()


def test_a_version_that_nobody_knows_is_an_error_that_names_the_record() -> None:
    with pytest.raises(UnknownEvent, match=r"foreign\.events\.v1/3/17: schema b'foreign\.asked\.v2' is not known"):
        react(_delivery(NewerAsked, COUNT))


def test_a_type_that_is_not_text_is_an_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        react(_delivery(Asked, COUNT, ce_type=b"\xff"))


@pytest.mark.parametrize("schema", [b"", b"\xff", b"foreign.asked.v01"])
def test_a_schema_that_is_not_exactly_known_is_an_error(schema: bytes) -> None:
    with pytest.raises(UnknownEvent):
        react(_delivery(Asked, COUNT, ce_dataschema=schema))


def test_two_versions_of_one_type_may_be_known_side_by_side() -> None:
    both = route((Asked, on_asked), (NewerAsked, lambda event: (to("t2", Count("t2", 2)),)))
    assert both(_delivery(Asked, COUNT)) == (to("t1", Count("t1", 5)),)
    assert both(_delivery(NewerAsked, COUNT)) == (to("t2", Count("t2", 2)),)
    with pytest.raises(ValueError, match=r"foreign\.asked\.v1 has a handler already"):
        route((Asked, on_asked), (Asked, lambda event: ()))


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"what":"sing","tally":"t1"}'])
def test_a_value_that_is_not_the_event_is_an_error(value: bytes | None) -> None:
    with pytest.raises(ValidationError):
        react(_delivery(Asked, value))


class OtherAsked(PublicEvent):
    event_type: ClassVar[str] = "foreign.other"


def test_each_type_has_its_own_handler() -> None:
    both = route((Asked, on_asked), (OtherAsked, lambda event: (to("t2", Count("t2", 1)),)))
    assert both(_delivery(OtherAsked, b"{}")) == (to("t2", Count("t2", 1)),)
