"""Publishes a file: rows, mapping, publisher, and a copy of the rejected rows where one is wanted."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from services.intake.mapping import Mapping
from services.intake.messages import Prepared, Rejected, prepare
from services.intake.publisher import Progress, PublishReport, publish
from services.intake.rows import is_json_lines, open_bytes, read_rows

_BEGINNING_BYTES = 1024


def read_messages(source: Path, mapping: Mapping) -> Iterator[Prepared | Rejected]:
    """Every message of the file, and every rejected row. Raises UnreadableFile."""
    return prepare(mapping, read_rows(source, mapping.columns))


async def publish_file(
    source: Path,
    mapping: Mapping,
    bootstrap: str,
    report: Callable[[Progress], None],
    *,
    rate: int | None = None,
    rejects: Path | None = None,
) -> PublishReport:
    """Publish the messages of a file; `rejects` gets the rejected rows exactly as they stand in it.

    Raises UnreadableFile, PublishFailed, and FileExistsError where `rejects` would be overwritten.
    """
    _demand_new(rejects)
    spans: list[tuple[int, int]] = []
    found = await publish(
        read_messages(source, mapping),
        bootstrap,
        report,
        rate=rate,
        on_rejected=lambda rejected: spans.extend(rejected.lines if rejects else ()),
    )
    if rejects is not None and spans:
        copy_lines(source, spans, rejects)
    return found


def _demand_new(rejects: Path | None) -> None:
    if rejects is not None and rejects.exists():
        raise FileExistsError(f"{rejects} exists already; name another file for the rejected rows")


def copy_lines(source: Path, spans: Iterable[tuple[int, int]], target: Path) -> None:
    """Copy these lines, below the header where the format has one, so that they can be mended and published."""
    wanted = {number for first, last in spans for number in range(first, last + 1)}
    with open_bytes(source) as lines, target.open("xb") as copy:
        for number, line in enumerate(lines, 1):
            if number == 1 and not is_json_lines(source, line[:_BEGINNING_BYTES]):
                wanted.add(number)
            if number in wanted:
                copy.write(line)
