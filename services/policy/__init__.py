"""Policy: issues policies and keeps their life.

Owns one stream a contract, `policy-<contract id>`, with every term of it.
Topics in: quote.events.v1 (accepted applications), billing.events.v1 (money for pay-before-cover).
Topics out: policy.events.v1, notices.<channel>.v1.
"""
