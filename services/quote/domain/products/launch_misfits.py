"""Whether sale days, channels, regions and coinsurance of a document make sense."""

from collections.abc import Iterator, Sequence

from contracts.vocabulary.faults import Fault, FaultCode
from contracts.vocabulary.money import BASIS_POINTS
from contracts.vocabulary.products import SettlementMethod
from contracts.vocabulary.time import EARLIEST_DATE, LATEST_DATE
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.launch import Coinsured


def launch_misfits(document: ProductDocument) -> Iterator[Fault]:
    """What is wrong with where, when and by whom the product is sold and carried."""
    yield from _day_misfits(document)
    for name, entries in (
        ("channels", document.channels or ()),
        ("regions", document.regions or ()),
        ("frequencies", document.frequencies),
    ):
        yield from _named_twice(name, entries)
    if document.pay_within_days is not None and document.settlement is not SettlementMethod.PAY_BEFORE_COVER:
        message = f"cover is not waiting for money where settlement is {document.settlement}; leave pay_within_days out"
        yield _fault("pay_within_days", message)
    if document.coinsurance is not None:
        yield from _coinsurance_misfits(document.coinsurance)


def _day_misfits(document: ProductDocument) -> Iterator[Fault]:
    days = (("on_sale_from", document.on_sale_from), ("on_sale_until", document.on_sale_until))
    for name, day in days:
        if day is not None and not EARLIEST_DATE <= day <= LATEST_DATE:
            yield _fault(name, f"{day} is no day of business; give one from {EARLIEST_DATE} to {LATEST_DATE}")
    if document.on_sale_until is not None and document.on_sale_until < document.on_sale_from:
        yield _fault("on_sale_until", "the last day of sale lies before the first; put it on or after on_sale_from")


def _named_twice(path: str, entries: Sequence[str]) -> Iterator[Fault]:
    for place, entry in enumerate(entries):
        if entry in entries[:place]:
            yield _fault(f"{path}.{place}", f"{entry} is named twice; keep one")


def _coinsurance_misfits(coinsured: Coinsured) -> Iterator[Fault]:
    everyone = (coinsured.leader, *coinsured.followers)
    whole = sum(one.share_bp for one in everyone)
    if whole != BASIS_POINTS:
        told = " + ".join(str(one.share_bp) for one in everyone)
        yield _fault(
            "coinsurance", f"the shares {told} add up to {whole} basis points; they must add up to {BASIS_POINTS}"
        )
    insurers = [one.insurer for one in everyone]
    for place, insurer in enumerate(insurers[1:]):
        if insurer in insurers[: place + 1]:
            message = f"{insurer} has a share already; give each insurer one share"
            yield _fault(f"coinsurance.followers.{place}.insurer", message)


def _fault(path: str, message: str) -> Fault:
    return Fault(code=FaultCode.INVALID_FIELD, path=path, message=message)
