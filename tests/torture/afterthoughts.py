"""Orders of which the customer thinks better: placed and withdrawn at once, with an answer that nobody asked for."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from contracts.vocabulary.faults import FaultCode
from services.demo.raw import Outcome, RawMessage, message_bytes

_A_BOOK = 3


def afterthoughts(orders: Iterable[RawMessage], mark: str) -> Iterator[RawMessage]:
    """A few orders like those of the book that wait for money, under numbers of their own, none of which is issued."""
    prepaid = (order for order in orders if order.expected == Outcome.AWAITING_PAYMENT)
    for place, order in enumerate(islice(prepaid, _A_BOOK)):
        number = f"{mark}-W{place}"
        content = {**json.loads(order.value), "order_no": number, "contract_no": number}
        book = {name: content[name] for name in ("book",) if name in content}
        common = {"schema_version": 1, "order_no": number, **book, "answered_at": content["placed_at"]}
        taken = {"type": "counter_offer.answered", **common, "answer": "taken"}
        withdrawn = {"type": "withdrawal.requested", **common, "reason": "thought better of it"}
        for said, expected in (
            (content, Outcome.AWAITING_PAYMENT),
            (taken, FaultCode.ORDER_NOT_REFERRED),
            (withdrawn, Outcome.WITHDRAWN),
        ):
            yield RawMessage(order.channel, number, message_bytes(said), number, expected)
