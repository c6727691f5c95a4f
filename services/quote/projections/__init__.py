"""Quote's read models, one file each."""

from services.quote.projections.application import application
from services.quote.projections.order_outcome import order_outcome
from services.quote.projections.product_version import product_version
from services.quote.projections.refused_message import refused_message

PROJECTIONS = (application, order_outcome, product_version, refused_message)
