"""Policy's read models, one file each."""

from services.policy.projections.policy_term import policy_term
from services.policy.projections.written_premium import written_premium

PROJECTIONS = (policy_term, written_premium)
