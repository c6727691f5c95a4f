"""Billing's read models, one file each."""

from services.billing.projections.account import account
from services.billing.projections.account_balance import account_balance
from services.billing.projections.invoice import invoice
from services.billing.projections.invoice_count import invoice_count
from services.billing.projections.ledger_balance import ledger_balance
from services.billing.projections.posting import posting
from services.billing.projections.suspended_payment import suspended_payment

PROJECTIONS = (account, account_balance, invoice, invoice_count, ledger_balance, posting, suspended_payment)
