"""Quote: keeps the product catalogue, takes channels' orders in, prices them and decides on the risk.

Owns `product-<code>` (all versions of a product), `application-<id>` (one order, to its end) and `intake-<digest>`
(a message that was refused). It alone refuses malformed channel messages, whatever their type.
Topics in: orders.<channel>.v1, policy.events.v1 (applications issued, or not).
Topics out: quote.events.v1, notices.<channel>.v1.
"""
