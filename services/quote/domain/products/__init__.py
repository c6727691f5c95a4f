"""Products: what a document may say, and the lines of business behind it, found by name."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from contracts.vocabulary.products import InsuredRisk, ProductLine
from services.quote.domain.products.health import HEALTH_RULES
from services.quote.domain.products.motor import MOTOR_RULES
from services.quote.domain.products.rules import LineRules, Subject

RULES_BY_LINE: Mapping[ProductLine, LineRules] = MappingProxyType(
    {rules.line: rules for rules in (HEALTH_RULES, MOTOR_RULES)}
)


def subjects_of(risk: InsuredRisk, effective: date) -> tuple[Subject, ...]:
    """What is rated and underwritten one by one: the car with its driver, or each insured person."""
    return RULES_BY_LINE[risk.line].subjects(risk, effective)
