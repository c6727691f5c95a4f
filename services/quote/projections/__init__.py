"""Quote's read models, one file each."""

from services.quote.projections.application import application
from services.quote.projections.blacklist_entry import blacklist_entry
from services.quote.projections.channel_sale import channel_sale
from services.quote.projections.customer_contract import customer_contract
from services.quote.projections.deadline import deadline
from services.quote.projections.order_outcome import order_outcome
from services.quote.projections.product_outlet import product_outlet
from services.quote.projections.product_version import product_version
from services.quote.projections.referral import referral
from services.quote.projections.refused_message import refused_message
from services.quote.projections.underwriter import underwriter

PROJECTIONS = (
    application,
    blacklist_entry,
    channel_sale,
    customer_contract,
    deadline,
    order_outcome,
    product_outlet,
    product_version,
    referral,
    refused_message,
    underwriter,
)
