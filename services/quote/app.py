"""The quote service, put together."""

from collections.abc import Sequence

from contracts.topics import ServiceName
from services.kernel.messages import Delivery
from services.kernel.process.application import Application
from services.kernel.read_models import ReadModels
from services.kernel.service import ServiceDefinition
from services.quote import deadlines, inbound, outbound
from services.quote.api import router
from services.quote.catalogue import Catalogue
from services.quote.customer_api import decisions
from services.quote.customers import Customers
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import QUOTE_EVENTS
from services.quote.inbound import QuoteInbound
from services.quote.overlap_api import overlapping
from services.quote.projections import PROJECTIONS
from services.quote.register_api import registers
from services.quote.underwriting_api import underwriting

catalogue = Catalogue()
customers = Customers()

DEFINITION = ServiceDefinition(
    name=ServiceName.QUOTE,
    decider=QUOTE_DECIDER,
    events=QUOTE_EVENTS,
    projections=PROJECTIONS,
    to_wire=outbound.to_wire,
    sources=inbound.SOURCES,
    react=inbound.react,
    react_to_channel=QuoteInbound(catalogue).react_to_channel,
    repeat=outbound.repeat,
    witness=customers,
)


async def look_up(read: ReadModels, deliveries: Sequence[Delivery]) -> None:
    """Bring the catalogue and what is known of customers up to date before a batch is read."""
    await catalogue.refresh(read)
    await customers.refresh(read, deliveries, catalogue.limited)


router.include_router(decisions)
router.include_router(underwriting)
router.include_router(registers)
router.include_router(overlapping)

application = Application(DEFINITION, router, before_batch=look_up, due=deadlines.due)
