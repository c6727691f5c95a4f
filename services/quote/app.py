"""The quote service, put together."""

from contracts.topics import ServiceName
from services.kernel.application import Application
from services.kernel.service import ServiceDefinition
from services.quote import inbound, outbound
from services.quote.api import router
from services.quote.catalogue import Catalogue
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import QUOTE_EVENTS
from services.quote.inbound import QuoteInbound
from services.quote.projections import PROJECTIONS

catalogue = Catalogue()

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
)

application = Application(DEFINITION, router, before_batch=catalogue.refresh)
