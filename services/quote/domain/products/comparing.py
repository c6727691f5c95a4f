"""What differs between two documents, path by path."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.quote.domain.products.document import ProductDocument


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where two documents differ. What is absent on a side is None there, as a field without a value is."""

    path: str
    before: Any
    after: Any


def differences(before: ProductDocument, after: ProductDocument) -> tuple[Difference, ...]:
    """Where the second document says otherwise than the first, in the order of the document.

    Entries of a list that have a code, such as coverages, are told by it; other lists place by place.
    """
    return tuple(_walk("", before.model_dump(mode="json"), after.model_dump(mode="json")))


def _walk(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, Sequence) and isinstance(after, Sequence) and not isinstance(before, str):
        before, after = _by_code(before, after)
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        yield Difference(path, before, after)
        return
    for name in dict.fromkeys([*before, *after]):
        yield from _walk(f"{path}.{name}" if path else str(name), before.get(name), after.get(name))


def _by_code(before: Sequence[Any], after: Sequence[Any]) -> tuple[Any, Any]:
    entries = (*before, *after)
    if all(isinstance(entry, Mapping) and "code" in entry for entry in entries):
        return {entry["code"]: entry for entry in before}, {entry["code"]: entry for entry in after}
    if all(isinstance(entry, Mapping) for entry in entries):
        return dict(enumerate(before)), dict(enumerate(after))
    # A list of plain values, such as channels, is told whole.
    return before, after
