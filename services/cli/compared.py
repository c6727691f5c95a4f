"""The part of `pledger verify` that folds every read model again and compares it with what is there."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.topics import ServiceName
from infra.stack_file import Stack
from services.cli.replay import replays_of
from services.kernel.errors import ReplayRefused
from services.kernel.projecting.comparison import Comparison, Example, compare
from services.kernel.projecting.narrowing import Narrowing
from services.kernel.proof.finding import Finding, Wrong

_SYMBOLS_MAX = 80


@dataclass(slots=True)
class Compared:
    """Of one service: how many rows were found right, what differs, and what could not be compared now."""

    rows: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def compared(stack: Stack, service: str, partitions: Sequence[int], workers: int) -> Compared:
    """Compare all read models of a service, or their rows of these partitions, with a fresh fold of the log."""
    found = Compared()
    narrowing = Narrowing(partitions=tuple(partitions) or None)
    for replay in replays_of(stack, ServiceName(service), None, narrowing, workers=workers if workers > 1 else 0):
        name = replay.projection.name
        try:
            comparison = await compare(replay)
        except ReplayRefused as refused:
            found.notes.append(f"{service}: {name} was not compared: {refused}")
        except Exception as error:
            # A log that was tampered with may not fold at all; that is a finding, no reason to stop.
            found.findings.append(
                Finding(-1, 0, Wrong.READ_MODEL, f"{name}, folded again", f"{type(error).__name__}: {error}"[:200])
            )
        else:
            found.rows += comparison.rows - comparison.changed - comparison.removed
            found.findings += [_finding(comparison, example) for example in comparison.examples]
    return found


def _finding(comparison: Comparison, example: Example) -> Finding:
    now, fresh = example.now, example.fresh
    row = now or fresh or {}
    key = ", ".join(f"{column} {row[column]}" for column in comparison.key)
    name, partition = comparison.projection, int(row["partition"])
    if now is not None and fresh is not None:
        column = example.columns[0]
        count = f"{comparison.changed} rows differ: " if comparison.changed > 1 else ""
        expected, seen = (f"{column} {_short(side[column])}" for side in (fresh, now))
        return Finding(partition, 0, Wrong.READ_MODEL, f"{name} ({key}): {expected}", f"{count}{seen}")
    if fresh is not None:
        count = "no such row" if comparison.added == 1 else f"{comparison.added} rows are missing"
        return Finding(partition, 0, Wrong.READ_MODEL, f"{name} ({key})", count)
    count = "this row" if comparison.removed == 1 else f"this row and {comparison.removed - 1} more"
    return Finding(partition, 0, Wrong.READ_MODEL, f"nothing in {name} for ({key})", count)


def _short(value: object) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= _SYMBOLS_MAX else f"{text[: _SYMBOLS_MAX - 3]}..."
