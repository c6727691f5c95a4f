"""Replies: a channel that repeats itself hears the same outcome again, and nothing else happens."""

import json

from services.kernel.process.runtime import Kernel
from tests.support.running import Home, end_relay, eventually
from tests.support.topic_audit import assert_topic_is_the_log

ORDER = b'{"tally": "t1", "order_no": "O-1"}'


async def test_a_repeated_order_gives_the_same_notice_marked_as_repeated(channel_home: Home) -> None:
    home = channel_home
    async with home.kernel() as kernel:
        await home.order(ORDER)
        await home.quiet(kernel)
        heads = await home.heads()
        await home.order(ORDER)
        await home.quiet(kernel)
        assert await home.heads() == heads
        first, again = await home.notices()
    assert "repeated" not in dict(first.headers)
    assert dict(again.headers)["repeated"] == b"true"
    assert (first.partition, first.key, first.value) == (again.partition, again.key, again.value)
    assert json.loads(first.value) == {"tally": "t1", "order_no": "O-1"}
    assert await assert_topic_is_the_log(home) == 1


async def test_a_repetition_in_the_same_batch_comes_after_the_outcome(channel_home: Home) -> None:
    home = channel_home
    for _ in range(3):
        await home.order(ORDER)
    async with home.kernel() as kernel:
        await home.quiet(kernel)
        notices = await home.notices()
    assert [dict(notice.headers).get("repeated") for notice in notices] == [None, b"true", b"true"]
    ids = [dict(notice.headers)["ce_id"] for notice in notices]
    assert len(set(ids)) == 3


async def test_replies_wait_in_the_database_until_the_relay_can_send_them(channel_home: Home) -> None:
    home = channel_home
    async with home.kernel() as kernel:
        await home.order(ORDER)
        await home.quiet(kernel)
        await end_relay(kernel)
        await home.order(ORDER)
        await eventually(lambda: _one_reply_waits(kernel), "the reply waits")
        assert len(await home.notices()) == 1
    async with home.kernel() as kernel:
        await home.quiet(kernel)
    assert len(await home.notices()) == 2


async def _one_reply_waits(kernel: Kernel) -> bool:
    return bool((await kernel.status())["replies_waiting"] == 1)


async def test_another_tally_with_the_same_order_number_is_no_repetition(channel_home: Home) -> None:
    home = channel_home
    async with home.kernel() as kernel:
        await home.order(ORDER)
        await home.order(b'{"tally": "t2", "order_no": "O-1"}')
        await home.quiet(kernel)
        assert len(await home.notices()) == 1
    assert await home.totals() == {"t1": 0, "taken": 1}
