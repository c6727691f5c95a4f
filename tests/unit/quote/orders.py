"""What the tests of quote share: the shipped catalogue, deliveries, and commands as inbound makes them."""

import json
from typing import Any

from services.kernel.messages import Delivery, Instruction
from services.quote.catalogue import Catalogue
from services.quote.domain.commands import SubmitApplication
from services.quote.domain.products.version import ProductVersion
from services.quote.inbound import QuoteInbound
from services.quote.product_files import shipped_products

VERSIONS = {document.code: ProductVersion.of(document) for document in shipped_products()}
INBOUND = QuoteInbound(Catalogue(VERSIONS.values()))


def delivery(message: dict[str, Any] | bytes | None, offset: int = 7) -> Delivery:
    """A record of channel `shop`; a dict is written as JSON."""
    value = json.dumps(message).encode() if isinstance(message, dict) else message
    return Delivery("orders.shop.v1", 3, offset, b"C-1", value, (), 0)


def instruction(message: dict[str, Any] | bytes | None, offset: int = 7) -> Instruction:
    """The one instruction that a message leads to."""
    (found,) = INBOUND.react_to_channel(delivery(message, offset))
    return found


def submit(order: dict[str, Any], **changes: Any) -> SubmitApplication:
    """The command of an order; `changes` replace fields of the command."""
    command = instruction(order).command
    assert isinstance(command, SubmitApplication)
    fields = {name: getattr(command, name) for name in SubmitApplication.__slots__}
    return SubmitApplication(**{**fields, **changes})
