"""The trail of a sale that a channel of the generated book keeps: pages, disclosures, consents, and what led there."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

_TRACED_SHARE = 0.6
_SOURCES = ("search", "friend", "in-app banner", "short video", "clinic leaflet")
_PAGES = ("product", "wording", "exclusions", "privacy", "confirmation")
_DISCLOSURES = ("exclusions", "waiting-period", "duty-of-disclosure")
_STEP_SECONDS = (5, 90)


def evidence_of_sale(seed: int, order: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The evidence of an order, None for a channel that keeps none.

    Drawn from the seed and the order's number alone, so that a book has the same orders with or without it.
    """
    random = Random(f"{seed}/evidence/{order['order_no']}")
    if random.random() >= _TRACED_SHARE:
        return None
    placed_at = datetime.fromisoformat(order["placed_at"])
    trail = _Trail(random, placed_at)
    product = order["product"]
    # Written from the end of the sale to its beginning, so that nothing lies behind the order.
    consents = [
        {"purpose": purpose, "version": "2", "given": given, "stated_at": trail.before()}
        for purpose, given in (("marketing", random.random() < 0.3), ("personal-data", True))
    ]
    disclosures = [
        {"code": code, "version": "1.1", "acknowledged_at": trail.before()} for code in reversed(_DISCLOSURES)
    ]
    pages = [
        {
            "page_id": f"{product}.{page}",
            "version": version,
            "sha256": hashlib.sha256(f"{product}/{page}/{version}".encode()).hexdigest(),
            "seen_at": trail.before(),
            "action": "read-to-end" if page in ("wording", "exclusions") else "opened",
        }
        for page in reversed(_PAGES)
        for version in (f"2025.{random.randint(1, 3)}",)
    ]
    return {
        "source": random.choice(_SOURCES),
        "page_path": f"/{product}/{random.choice(('offer', 'compare', 'renew'))}",
        "pages": pages[::-1],
        "disclosures": disclosures[::-1],
        "consents": consents[::-1],
    }


class _Trail:
    """Moments going back from the order."""

    def __init__(self, random: Random, placed_at: datetime) -> None:
        self._random = random
        self._at = placed_at

    def before(self) -> str:
        """A moment before the last one that was given out."""
        self._at -= timedelta(seconds=self._random.randint(*_STEP_SECONDS))
        return self._at.strftime("%Y-%m-%dT%H:%M:%SZ")
