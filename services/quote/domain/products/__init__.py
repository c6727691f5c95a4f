"""Products: what a document may say, and the lines of business behind it, found by name."""

from collections.abc import Mapping
from datetime import date
from importlib import import_module
from types import MappingProxyType

from contracts.vocabulary.lines import InsuredRisk, ProductLine
from services.quote.domain.products.rules import LineRules, Subject


def _rules_of(line: ProductLine) -> LineRules:
    """`RULES` of the line's own module, which has the line's name."""
    rules: LineRules = import_module(f"{__name__}.{line.replace('-', '_')}").RULES
    return rules


RULES_BY_LINE: Mapping[str, LineRules] = MappingProxyType({line: _rules_of(line) for line in ProductLine})


def subjects_of(risk: InsuredRisk, effective: date) -> tuple[Subject, ...]:
    """What is rated and underwritten one by one: the car with its drivers, or each insured person."""
    return RULES_BY_LINE[risk.line].subjects(risk, effective)
