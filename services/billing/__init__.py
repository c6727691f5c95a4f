"""Billing: bills premiums, takes payments in, pays claims, and keeps the books.

Owns one stream a contract, `account-<contract id>`, with its invoices, payments and double-entry journal,
and one stream a refused payment report, `payment-<id>`, where its number belongs to another contract.
Topics in: quote.events.v1 (terms to be paid before cover), policy.events.v1 (terms in force or failed),
claims.events.v1 (approved claims), orders.<channel>.v1 (payments).
Topics out: billing.events.v1, notices.<channel>.v1.
"""
