"""Checkpoints against what the running service and its database say."""

from dataclasses import replace
from typing import Any

import pytest

from services.kernel.proof.checkpoint import genesis_root
from services.kernel.proof.finding import Wrong
from services.kernel.proof.kept_checkpoints import Kept, against_service
from tests.support.checkpoints import checkpoint_after

GENESIS = {0: bytes(32), 1: bytes([1]) * 32}
FIRST = checkpoint_after(None, 3, 4, genesis=genesis_root(GENESIS))
KEPT = Kept(checkpoints=(FIRST,))


def _status(number: int = 1, says: str = "checkpoint 1") -> dict[str, Any]:
    return {"checkpoint_number": number, "checkpoint": says}


@pytest.mark.parametrize("status", [None, _status(), _status(0, "standby"), _status(0, "off: no signing key")])
def test_what_agrees_is_no_finding(status: dict[str, Any] | None) -> None:
    assert against_service(KEPT, GENESIS, status) == []
    assert against_service(Kept(), GENESIS, None) == []


def test_a_file_that_lacks_what_the_service_signed_is_found() -> None:
    for kept, number in ((Kept(), 1), (KEPT, 2)):
        (finding,) = against_service(kept, GENESIS, _status(number))
        assert (finding.what, finding.position) == (Wrong.CUT, number)


def test_a_service_that_stopped_signing_is_found() -> None:
    (finding,) = against_service(KEPT, GENESIS, _status(says="stopped: partition 0 was at 3 and is at 2"))
    assert (finding.what, finding.position) == (Wrong.CHECKPOINT, 2)
    assert finding.found.endswith("was at 3 and is at 2")


def test_the_genesis_of_another_database_is_found() -> None:
    other = replace(FIRST, genesis=genesis_root({0: bytes(32), 1: bytes(32)}))
    (finding,) = against_service(Kept(checkpoints=(other,)), GENESIS, _status())
    assert (finding.what, finding.position) == (Wrong.GENESIS, 0)
