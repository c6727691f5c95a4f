"""The billing service, put together."""

from contracts.topics import ServiceName
from services.billing import inbound, outbound
from services.billing.api import router
from services.billing.domain.decider import BILLING_DECIDER
from services.billing.domain.events import BILLING_EVENTS
from services.billing.projections import PROJECTIONS
from services.kernel.process.application import Application
from services.kernel.service import ServiceDefinition

DEFINITION = ServiceDefinition(
    name=ServiceName.BILLING,
    decider=BILLING_DECIDER,
    events=BILLING_EVENTS,
    projections=PROJECTIONS,
    to_wire=outbound.to_wire,
    sources=inbound.SOURCES,
    react=inbound.react,
    react_to_channel=inbound.react_to_channel,
    repeat=outbound.repeat,
)

application = Application(DEFINITION, router)
