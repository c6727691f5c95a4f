"""Claims' read models, one file each."""

from services.claims.projections.claim import claim
from services.claims.projections.claim_line import claim_line
from services.claims.projections.claim_line_total import claim_line_total
from services.claims.projections.cover import cover

PROJECTIONS = (cover, claim, claim_line, claim_line_total)
