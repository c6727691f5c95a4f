"""Claims: takes loss notices, checks cover and limits, decides, reserves and follows claims to their closing.

Owns one stream a contract, `cover-<contract id>`, with the cover that it knows and every claim on it.
Topics in: policy.events.v1 (cover), billing.events.v1 (claim payments), orders.<channel>.v1 (loss notices).
Topics out: claims.events.v1, notices.<channel>.v1.
"""
