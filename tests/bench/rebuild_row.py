"""The row of a rebuild of policy's read model."""

from tests.bench.measuring import Bench, Row, least_row, rate_row
from tests.bench.rebuild import measure_rebuild

_NAME = "rebuild of policy_term"


async def measure(bench: Bench) -> list[Row]:
    """Against reading and upserting the same rows without domain code, and by itself."""
    found = [await measure_rebuild(bench.servers.postgres) for _ in range(bench.repetitions)]
    ours, theirs = [own for own, _ in found], [plain for _, plain in found]
    return [
        rate_row(_NAME, "select and multi-row upsert, no domain code", "events/s", ours, theirs, at_least=0.5),
        least_row(f"{_NAME}, by itself", "events/s", ours, wanted="60,000 events/s", at_least=60_000),
    ]
