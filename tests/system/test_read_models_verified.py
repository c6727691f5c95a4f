"""`verify` folds every read model again: a row that somebody changed is named, and a rebuild puts it right."""

import asyncio

import pytest

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.demo import prepare_market, settle
from services.cli.replay import replays_of
from services.cli.verify import Scope, examine
from services.demo.book import CHANNELS, generate_book
from services.kernel.projecting.rebuild import rebuild
from services.kernel.proof.finding import Wrong
from tests.support.system import publish_and_settle, superuser_of

pytestmark = pytest.mark.xdist_group("stack")


async def findings(stack: Stack) -> list[tuple[Wrong, str, str]]:
    """What is wrong with policy's log, topic, checkpoints and read models."""
    (subject,) = await asyncio.to_thread(examine, stack, Scope(services=(ServiceName.POLICY,)), silent=True)
    assert subject.compared.notes == []
    assert subject.compared.rows > 0
    return [(finding.what, finding.expected, finding.found) for finding in subject.all_findings]


async def as_superuser(stack: Stack, statement: str) -> None:
    """Change policy's database as nobody should."""
    async with superuser_of(stack, ServiceName.POLICY) as connection:
        assert not (await connection.execute(statement)).endswith(" 0")


async def test_a_changed_a_missing_and_a_made_up_row_are_found_and_put_right(stack: Stack) -> None:
    await prepare_market(stack, list(CHANNELS))
    await publish_and_settle(stack, generate_book(orders=60, seed=23).orders)
    await settle(stack)
    assert await findings(stack) == []
    one = "(select contract_id from read.policy_term order by contract_id limit 1)"
    last = "(select contract_id from read.policy_term order by contract_id desc limit 1)"
    await as_superuser(stack, f"update read.policy_term set premium_minor = -1 where contract_id = {one}")
    await as_superuser(stack, f"delete from read.policy_term where contract_id = {last}")
    await as_superuser(
        stack,
        "insert into read.written_premium (partition, product_code, channel, coverage, currency)"
        " values (0, 'none', 'none', '*', 'EUR')",
    )
    found = await findings(stack)
    assert {what for what, _, _ in found} == {Wrong.READ_MODEL}
    assert any("premium_minor" in expected and "premium_minor -1" in seen for _, expected, seen in found)
    assert any(seen in {"no such row"} or "rows are missing" in seen for _, _, seen in found)
    assert any(expected.startswith("nothing in written_premium") for _, expected, _ in found)
    for replay in replays_of(stack, ServiceName.POLICY, None):
        await rebuild(replay)
    assert await findings(stack) == []
