"""A channel whose messages of one contract lie on several partitions: two replicas read them."""

import asyncio
import json
from collections import Counter

from tests.support.running import PARTITIONS, Home
from tests.support.topic_audit import assert_topic_is_the_log

ORDERS = 25


def _order(number: int, tally: str = "") -> bytes:
    return json.dumps({"tally": tally or f"t{number}", "order_no": f"O-{number}"}).encode()


async def test_the_same_order_on_every_partition_is_one_order(channel_home: Home) -> None:
    home = channel_home
    async with home.kernel() as kernel, home.kernel() as replica:
        orders = [home.order(_order(number), place) for number in range(ORDERS) for place in range(PARTITIONS)]
        await asyncio.gather(*orders)
        await home.quiet(kernel, replica)
    events = [recorded.event for recordeds in (await home.log()).values() for recorded in recordeds]
    assert Counter(event.tally for event in events) == {f"t{number}": 1 for number in range(ORDERS)}
    repeated = Counter(("repeated", b"true") in notice.headers for notice in await home.notices())
    assert repeated == {False: ORDERS, True: ORDERS * (PARTITIONS - 1)}
    assert await assert_topic_is_the_log(home) == ORDERS


async def test_of_two_orders_with_one_number_on_two_partitions_one_stands(channel_home: Home) -> None:
    """Which of the two is a matter of luck where the channel did not order them; that there is one is not."""
    home = channel_home
    async with home.kernel() as kernel, home.kernel() as replica:
        rivals = [(number, place) for number in range(ORDERS) for place in range(PARTITIONS)]
        await asyncio.gather(*(home.order(_order(number, f"t{number}-{place}"), place) for number, place in rivals))
        await home.quiet(kernel, replica)
    events = [recorded.event for recordeds in (await home.log()).values() for recorded in recordeds]
    opened = [event for event in events if event.event_type == "tally.opened"]
    assert sorted(event.order_no for event in opened) == sorted(f"O-{number}" for number in range(ORDERS))  # type: ignore[union-attr]
    refused = Counter(event.note for event in events if event.event_type == "tally.counted")  # type: ignore[union-attr]
    assert refused == {f"O-{number}": PARTITIONS - 1 for number in range(ORDERS)}
