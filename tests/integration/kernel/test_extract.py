"""A running service gives out streams of its log with what proves them; says what is not signed yet, or too long."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.topics import lane_of
from services.kernel.process.runtime import Kernel
from services.kernel.proof.checkpoint import origin_of
from services.kernel.proof.extract import Extract, Wanted
from services.kernel.proof.extract_check import check_extract
from services.kernel.proof.finding import Wrong
from services.kernel.proof.signed_note import SigningKey, create_key
from tests.support.running import PARTITIONS, Home, eventually
from tests.support.tally import Count, to

OWN = "t1"
LANE = lane_of(OWN, PARTITIONS)
NEIGHBOUR = next(name for name in (f"n{n}" for n in range(100)) if lane_of(name, PARTITIONS) == LANE)
ALL = 1_000


@pytest.fixture
def key(home: Home, tmp_path: Path) -> SigningKey:
    """The key of the home's service, in `key.pem`."""
    return create_key(tmp_path / "key.pem", origin_of(home.definition.name))


@asynccontextmanager
async def _running(home: Home, folder: Path | None) -> AsyncIterator[Kernel]:
    """The service, which signs into the folder when it is told to; without one it has no key."""
    signing = (
        {}
        if folder is None
        else {"checkpoints_folder": folder, "signing_key": folder / "key.pem", "checkpoint_seconds": 3600.0}
    )
    kernel = Kernel(replace(home.definition, sources=()), home.settings().model_copy(update=signing))
    await kernel.start()
    try:
        if folder is not None:
            await eventually(lambda: _has_signed(kernel), "the service has signed its empty log")
        yield kernel
    finally:
        await kernel.stop()


async def _has_signed(kernel: Kernel) -> bool:
    return kernel.signer.number > 0


async def _count(home: Home, kernel: Kernel, *tallies: str) -> None:
    for amount, tally in enumerate(tallies):
        await home.execute(kernel, to(tally, Count(tally, amount, "grüß")))


async def _extract(kernel: Kernel, *wanted: Wanted, links: int = ALL) -> Extract:
    asked = wanted or (Wanted(OWN, to(OWN, Count(OWN, 0)).stream),)
    # As a client has it: through JSON.
    return Extract.model_validate_json((await kernel.extract("t1", asked, links)).model_dump_json())


async def test_signed_events_are_proved_and_later_ones_are_said_not_to_be(
    home: Home, tmp_path: Path, key: SigningKey
) -> None:
    async with _running(home, tmp_path) as kernel:
        await _count(home, kernel, NEIGHBOUR, OWN, NEIGHBOUR, OWN)
        await kernel.signer.sign()
        await _count(home, kernel, NEIGHBOUR, OWN)
        extract = await _extract(kernel)
        checked = check_extract(extract, [key.public])
        assert (checked.findings, checked.complete) == ((), True)
        assert [event.position for event in extract.events] == [2, 4, 6]
        assert set(checked.proved_by) == {(LANE, 2), (LANE, 4)}
        assert extract.unsigned == (f"{LANE}/6: no checkpoint covers it yet",)
        await kernel.signer.sign()
        extract = await _extract(kernel)
        checked = check_extract(extract, [key.public])
        assert set(checked.proved_by) == {(LANE, 2), (LANE, 4), (LANE, 6)}
        # The first run ends at the first checkpoint that covers its event; the second begins behind it.
        assert [[link.position for link in run.links] for run in extract.runs] == [[2, 3, 4], [6]]


async def test_what_is_too_long_is_left_out_and_said(home: Home, tmp_path: Path, key: SigningKey) -> None:
    async with _running(home, tmp_path) as kernel:
        await _count(home, kernel, OWN, *[NEIGHBOUR] * 9)
        await kernel.signer.sign()
        extract = await _extract(kernel, links=9)
        assert extract.runs == ()
        assert extract.unsigned[0].startswith(f"{LANE}/1: 10 events lead to checkpoint 2 of ")
        assert check_extract(extract, [key.public]).findings == ()
        assert len((await _extract(kernel, links=10)).runs) == 1


async def test_nothing_of_a_neighbour_is_given_out_but_hashes(home: Home, tmp_path: Path, key: SigningKey) -> None:
    async with _running(home, tmp_path) as kernel:
        await home.execute(kernel, to(NEIGHBOUR, Count(NEIGHBOUR, 1, "a secret")))
        await _count(home, kernel, OWN)
        await home.execute(kernel, to(NEIGHBOUR, Count(NEIGHBOUR, 2, "a secret")))
        await kernel.signer.sign()
        extract = await _extract(kernel)
        assert "a secret" not in extract.model_dump_json()
        assert extract.events[0].link.data.decode().count("grüß") == 1


async def test_streams_by_the_beginning_of_their_names_and_events_by_their_fields(
    home: Home, tmp_path: Path, key: SigningKey
) -> None:
    async with _running(home, tmp_path) as kernel:
        await _count(home, kernel, OWN, OWN, NEIGHBOUR)
        stream = to(OWN, Count(OWN, 0)).stream
        await kernel.signer.sign()
        some = await _extract(kernel, Wanted(OWN, stream, having={"amount": 1}))
        assert [event.version for event in some.events] == [2]
        assert some.partial == (stream,)
        assert check_extract(some, [key.public]).findings == ()
        beside = await _extract(kernel, Wanted(OWN, stream[:3], prefix=True, having={"tally": NEIGHBOUR}))
        assert [event.stream for event in beside.events] == [to(NEIGHBOUR, Count(NEIGHBOUR, 0)).stream]
        assert check_extract(beside, [key.public]).findings == ()


async def test_a_log_that_was_altered_gives_an_extract_that_shows_it(
    home: Home, tmp_path: Path, key: SigningKey
) -> None:
    async with _running(home, tmp_path) as kernel:
        await _count(home, kernel, OWN, OWN, NEIGHBOUR)
        await kernel.signer.sign()
        async with home.superuser() as superuser:
            await superuser.execute(
                "update log.events set data = convert_to(replace(convert_from(data, 'UTF8'), 'grüß', 'gruss'), 'UTF8')"
                " where position = 2"
            )
        checked = check_extract(await _extract(kernel), [key.public])
        assert next((finding.position, finding.what) for finding in checked.findings) == (2, Wrong.ALTERED)
        assert checked.proved_by == {}


async def test_a_service_without_a_key_gives_out_events_that_nothing_signs(home: Home) -> None:
    async with _running(home, None) as kernel:
        await _count(home, kernel, OWN)
        extract = await _extract(kernel)
        assert (len(extract.events), extract.runs, extract.statement) == (1, (), None)
        assert extract.unsigned == (f"{LANE}/1: no checkpoint covers it yet",)
