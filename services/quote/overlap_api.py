"""The HTTP API of what simultaneous decisions passed over: contracts of one customer that did not see each other."""

from collections.abc import Sequence
from itertools import groupby

from fastapi import APIRouter, Request

from services.kernel import clock
from services.kernel.process.http import KernelAccess, kernel_of
from services.quote import product_queries, underwriting_queries
from services.quote.domain.order import Order
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.version import ProductVersion
from services.quote.domain.underwriting.overlaps import passed_over
from services.quote.inbound import application_stream

CONTRACTS_COMPARED_MAX = 10_000

overlapping = APIRouter(tags=["underwriting"])


@overlapping.get("/overlaps")
async def overlaps(request: Request, test: bool = False) -> list[underwriting_queries.Overlap]:
    """Contracts accepted beside another of the same customer that the rules would have stopped after it.

    Two services that decide at the same moment do not see each other; here such contracts come to light.
    """
    kernel = kernel_of(request)
    rows = await underwriting_queries.contracts_of_several(kernel.read, CONTRACTS_COMPARED_MAX, test=test)
    found: list[underwriting_queries.Overlap] = []
    for _, own in groupby(rows, key=lambda row: (row.customer, row.channel if test else "")):
        before: list[underwriting_queries.AcceptedContract] = []
        for row in own:
            others = [one for one in before if one.contract_id != row.contract_id]
            if row.by_rules and others and (rules := await _passed_over(kernel, row, others)):
                found.append(
                    underwriting_queries.Overlap(
                        channel=row.channel,
                        order_no=row.order_no,
                        contract_id=row.contract_id,
                        accepted_at=row.accepted_at,
                        others=[f"{one.channel}/{one.order_no}" for one in others],
                        rules=rules,
                    )
                )
            before.append(row)
    return found


async def _passed_over(
    kernel: KernelAccess,
    row: underwriting_queries.AcceptedContract,
    others: Sequence[underwriting_queries.AcceptedContract],
) -> list[underwriting_queries.ReferralReason]:
    found = await product_queries.product_version(
        kernel.read, row.product_code, row.product_version, clock.now().date()
    )
    if found is None:
        return []
    product = ProductVersion.of(ProductDocument.model_validate(found.document))
    if not product.underwriting.asks_about_customer:
        return []
    history = await kernel.history(row.contract_id, application_stream(row.channel, row.order_no, row.contract_id))
    order = Order.model_validate(history[0].data["order"])
    fired = [rule["code"] for entry in history for rule in entry.data.get("fired", ())]
    passed = passed_over(order, row.channel, product, [one.contract() for one in others], fired)
    return [
        underwriting_queries.ReferralReason(
            code=rule.code, en=rule.reason_en, zh=rule.reason_zh, path=rule.path, facts=rule.facts
        )
        for rule in passed
    ]
