"""A new document out of another: a variant of a product is its model with a few things said otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.vocabulary.faults import Fault, FaultCode
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.launch import Coinsured
from services.quote.domain.products.reading import InvalidDocument, read_document


def clone(
    model: ProductDocument,
    *,
    code: str,
    version: int,
    sold: bool,
    changes: Mapping[str, Any],
    coinsured: Coinsured | None = None,
) -> ProductDocument:
    """The document of a variant: `changes` by dotted path, entries of a list by code or by place from 0.

    A variant of what has been `sold` takes the short path to launch, unless a change says otherwise.
    Raises InvalidDocument with every fault.
    """
    content = model.model_dump(mode="json")
    content |= {"code": code, "version": version}
    if sold and content["requirement"] is not None:
        content["requirement"]["path"] = "short"
    if coinsured is not None:
        content["coinsurance"] = coinsured.model_dump(mode="json")
    faults = [fault for path, value in changes.items() for fault in _set(content, path, value)]
    if faults:
        raise InvalidDocument(faults)
    return read_document(content)


def value_at(content: Any, path: str) -> Any:
    """What stands at a dotted path, None where nothing does."""
    for step in path.split("."):
        if isinstance(content, Mapping):
            content = content.get(step)
        elif isinstance(content, list):
            place = _place(content, step)
            content = None if place is None else content[place]
        else:
            return None
    return content


def _set(content: Any, path: str, value: Any) -> Iterator[Fault]:
    *way, last = path.split(".")
    here = content
    for step in way:
        inner = value_at(here, step)
        if not isinstance(inner, dict | list):
            yield _fault(path, f"there is no {step} on the way to {path}; see the document for its paths")
            return
        here = inner
    if isinstance(here, list):
        place = _place(here, last)
        if place is None:
            yield _fault(path, f"the list has no entry {last}; name one by its code or its place from 0")
            return
        here[place] = value
    else:
        # A name that the document does not know is found by whoever reads the result.
        here[last] = value


def _place(entries: Sequence[Any], step: str) -> int | None:
    for place, entry in enumerate(entries):
        if step == str(place) or (isinstance(entry, Mapping) and entry.get("code") == step):
            return place
    return None


def _fault(path: str, message: str) -> Fault:
    return Fault(code=FaultCode.INVALID_FIELD, path=path, message=message)
