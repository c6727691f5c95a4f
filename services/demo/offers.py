"""What the channels of the generated book sell: each shipped product with how an order of it is drawn and priced."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from random import Random
from types import MappingProxyType

from contracts.vocabulary.products import SettlementMethod
from services.demo.cars import comprehensive_quote
from services.demo.families import basic_quote, plus_quote
from services.demo.groups import group_quote
from services.demo.risks import Quoted, motor_quote, shipped
from services.quote.domain.products.document import ProductDocument

MOTOR, COMPREHENSIVE = "motor-private", "motor-comprehensive"
HEALTH_BASIC, HEALTH_PLUS, GROUP = "health-basic", "health-plus", "group-medical"


@dataclass(frozen=True, slots=True)
class Offer:
    """A product that a channel sells: of how many in a thousand new contracts, and whether they are renewed."""

    code: str
    per_mille: int
    quote: Callable[[Random, date], Quoted]
    renews: bool = False

    @property
    def document(self) -> ProductDocument:
        """The product as it is shipped."""
        return shipped(self.code)

    @property
    def is_prepaid(self) -> bool:
        """Whether cover waits for the money."""
        return self.document.settlement is SettlementMethod.PAY_BEFORE_COVER


# A family pays before each term, so its renewal would hang on the payments of the one before.
OFFERS: Mapping[str, Offer] = MappingProxyType(
    {
        offer.code: offer
        for offer in (
            Offer(MOTOR, 700, lambda random, _: motor_quote(random), renews=True),
            Offer(COMPREHENSIVE, 40, comprehensive_quote),
            Offer(HEALTH_BASIC, 170, basic_quote),
            Offer(HEALTH_PLUS, 68, plus_quote),
            Offer(GROUP, 22, group_quote),
        )
    }
)


@cache
def straight_through_limit_minor(code: str) -> int | None:
    """Up to which sum a claim under this product needs no person, in minor units; None for all."""
    return OFFERS[code].document.straight_through_claim_minor
