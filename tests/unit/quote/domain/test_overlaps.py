"""What was passed over when two contracts of a customer were accepted at the same moment."""

from services.quote.domain.underwriting.overlaps import passed_over
from tests.unit.quote.orders import submit
from tests.unit.quote.underwritten import CUSTOMER, DOUBLE, HIGH, HIGH_SUM, order, product, standing

ORDER = submit(order(insured=HIGH, premium=130_910, policyholder_id=CUSTOMER)).order
RULES = product([DOUBLE, HIGH_SUM])


def test_a_rule_about_the_customer_that_would_have_referred_was_passed_over() -> None:
    (rule,) = passed_over(ORDER, "shop", RULES, standing("health-basic").contracts or (), [])
    assert (rule.code, rule.facts) == ("double", {"customer.same_product": 1})


def test_a_rule_that_fired_when_it_was_decided_was_not() -> None:
    assert passed_over(ORDER, "shop", RULES, standing("health-basic").contracts or (), ["double"]) == ()


def test_other_contracts_and_other_rules_pass_nothing_over() -> None:
    assert passed_over(ORDER, "shop", RULES, standing("motor-private").contracts or (), []) == ()
