"""The row of the walk along the hash chains."""

from tests.bench.measuring import Bench, Row, rate_row
from tests.bench.verify import verify_rates

_REPETITIONS_MAX = 3


async def measure(bench: Bench) -> list[Row]:
    """One process against one sha256 over the same bytes, and all cores against one process."""
    found = [await verify_rates(bench.servers.postgres) for _ in range(min(_REPETITIONS_MAX, bench.repetitions))]
    alone, hashed, together = ([rates[place] for rates in found] for place in range(3))
    return [
        rate_row("verify, one process", "sha256 of the same bytes", "events/s", alone, hashed, at_least=0.5),
        rate_row("verify, all cores", "one process", "events/s", together, alone, at_least=None),
    ]
