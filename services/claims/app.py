"""The claims service, put together."""

from contracts.topics import ServiceName
from services.claims import inbound, outbound
from services.claims.api import router
from services.claims.domain.decider import CLAIMS_DECIDER
from services.claims.domain.events import CLAIMS_EVENTS
from services.claims.projections import PROJECTIONS
from services.kernel.process.application import Application
from services.kernel.service import ServiceDefinition

DEFINITION = ServiceDefinition(
    name=ServiceName.CLAIMS,
    decider=CLAIMS_DECIDER,
    events=CLAIMS_EVENTS,
    projections=PROJECTIONS,
    to_wire=outbound.to_wire,
    sources=inbound.SOURCES,
    react=inbound.react,
    react_to_channel=inbound.react_to_channel,
    repeat=outbound.repeat,
)

application = Application(DEFINITION, router)
