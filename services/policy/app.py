"""The policy service, put together."""

from contracts.topics import ServiceName
from services.kernel.process.application import Application
from services.kernel.service import ServiceDefinition
from services.policy import inbound, outbound
from services.policy.api import router
from services.policy.domain.decider import POLICY_DECIDER
from services.policy.domain.events import POLICY_EVENTS
from services.policy.projections import PROJECTIONS

DEFINITION = ServiceDefinition(
    name=ServiceName.POLICY,
    decider=POLICY_DECIDER,
    events=POLICY_EVENTS,
    projections=PROJECTIONS,
    to_wire=outbound.to_wire,
    sources=inbound.SOURCES,
    react=inbound.react,
)

application = Application(DEFINITION, router)
