"""What is looked up about customers before a batch is read, and what of it goes into each order's command."""

from dataclasses import replace
from typing import Any

from contracts.vocabulary.identifiers import person_digest
from services.quote import underwriting_queries
from services.quote.catalogue import Catalogue
from services.quote.customers import DOCUMENT, NAME, Customers, name_digest
from services.quote.domain.commands import SubmitApplication
from services.quote.domain.underwriting.assessment import UNKNOWN_CUSTOMER, CustomerStanding
from services.quote.inbound import QuoteInbound
from tests.support.builders import YEAR_2026, health_order
from tests.unit.quote.orders import VERSIONS, delivery
from tests.unit.quote.underwritten import CUSTOMER, standing

OTHER = person_digest("CN", "ID", "110105194912310021")
ROW = underwriting_queries.CustomerContract(
    customer=CUSTOMER, channel="shop", order_no="H-0", contract_id="K0", product_code="health-basic", currency="CNY",
    effective=YEAR_2026.effective, expiry=YEAR_2026.expiry, premium_minor=26_182,
    sums_insured_minor={"Inpatient": 10_000_000},
)  # fmt: skip
CONTRACTS = standing("health-basic").contracts


class Read:
    """Read models that answer with the given rows and count how often each is asked."""

    def __init__(self, listed: list[underwriting_queries.BlacklistEntryView] | None = None) -> None:
        self.listed = listed or []
        self.rows = [ROW]
        self.passed: dict[int, int] = {}
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    async def one(self, model: type, sql: str, *arguments: Any) -> Any:
        self.asked.append((model.__name__, arguments))
        return underwriting_queries.BlacklistMark(entries=len(self.listed), changes=len(self.listed))

    async def many(self, model: type, sql: str, *arguments: Any) -> list[Any]:
        self.asked.append((model.__name__, arguments))
        if model is underwriting_queries.BlacklistEntryView:
            return self.listed
        raise AssertionError(model)

    async def with_progress(self, projection: str, model: type, sql: str, *arguments: Any) -> Any:
        self.asked.append((model.__name__, arguments))
        return [row for row in self.rows if row.customer in arguments[0]], self.passed


def command(customers: Customers, **changes: Any) -> SubmitApplication:
    inbound = QuoteInbound(Catalogue(VERSIONS.values()))
    (found,) = inbound.react_to_channel(delivery(health_order(**changes)))
    completed = customers.complete(found.command)
    assert isinstance(completed, SubmitApplication)
    return completed


def known(customers: Customers, channel: str, contract_id: str) -> Any:
    """What is known of the customer's other contracts when one is ordered there."""
    return customers.standing(channel, command(customers, policyholder_id=CUSTOMER).order, contract_id).contracts


def entry(kind: str, subject: str) -> underwriting_queries.BlacklistEntryView:
    fields = {"reason": "fraud", "changed_by": "head", "changed_at": "2026-01-01T00:00:00Z"}
    return underwriting_queries.BlacklistEntryView.model_validate(
        {"kind": kind, "subject": subject, "listed": True, **fields}
    )


async def refreshed(read: Read, *orders: dict[str, Any]) -> Customers:
    customers = Customers()
    await customers.refresh(read, [delivery(order) for order in orders])  # type: ignore[arg-type]
    return customers


async def test_the_contracts_of_the_batchs_customers_go_into_its_commands() -> None:
    read = Read()
    customers = await refreshed(read, health_order(policyholder_id=CUSTOMER), health_order(policyholder_id=OTHER))
    assert read.asked[-1] == ("CustomerContract", (sorted((CUSTOMER, OTHER)),))
    assert command(customers, policyholder_id=CUSTOMER).customer == CustomerStanding(contracts=CONTRACTS)
    assert command(customers, policyholder_id=OTHER).customer == CustomerStanding(contracts=())


async def test_a_batch_without_customers_asks_for_no_contracts() -> None:
    read = Read()
    customers = await refreshed(read, health_order())
    assert [name for name, _ in read.asked] == ["BlacklistMark", "BlacklistEntryView"]
    assert command(customers).customer is UNKNOWN_CUSTOMER


async def test_a_batch_of_another_topic_leaves_what_was_looked_up() -> None:
    read = Read()
    customers = await refreshed(read, health_order(policyholder_id=CUSTOMER))
    await customers.refresh(read, [delivery(b"{}")])  # type: ignore[arg-type]
    assert command(customers, policyholder_id=CUSTOMER).customer.contracts == CONTRACTS


async def test_a_customer_who_was_not_looked_up_is_not_taken_for_one_without_contracts() -> None:
    customers = await refreshed(Read())
    assert command(customers, policyholder_id=CUSTOMER).customer == CustomerStanding(contracts=None)


async def test_the_contract_that_is_ordered_is_none_of_the_others() -> None:
    (own,) = CONTRACTS or ()
    customers = Customers(contracts={CUSTOMER: [own]})
    assert known(customers, "shop", "K0") == ()
    assert known(customers, "shop", "K9") == (own,)


def test_business_of_a_sandbox_counts_in_that_sandbox_alone() -> None:
    (own,) = CONTRACTS or ()
    tried, elsewhere = replace(own, channel="shop-sandbox"), replace(own, channel="hill-sandbox")
    customers = Customers(contracts={CUSTOMER: [own, tried, elsewhere]})
    assert known(customers, "hill", "K9") == (own,)
    assert known(customers, "shop-sandbox", "K9") == (tried,)
    assert known(customers, "other-sandbox", "K9") == ()


async def test_the_blacklist_is_read_again_only_where_it_changed() -> None:
    read = Read([entry(DOCUMENT, CUSTOMER)])
    customers = await refreshed(read, health_order())
    await customers.refresh(read, [])  # type: ignore[arg-type]
    assert [name for name, _ in read.asked] == ["BlacklistMark", "BlacklistEntryView", "BlacklistMark"]
    read.listed = []
    await customers.refresh(read, [])  # type: ignore[arg-type]
    assert not command(customers, policyholder_id=CUSTOMER).customer.blacklisted


async def test_a_person_is_found_by_document_or_by_name_however_it_is_written() -> None:
    customers = await refreshed(Read([entry(DOCUMENT, CUSTOMER), entry(NAME, name_digest("Zhang San"))]))
    assert command(customers, policyholder_id=CUSTOMER).customer.blacklisted
    assert command(customers, policyholder_name="zhang  SAN").customer.blacklisted
    assert not command(customers, policyholder_id=OTHER, policyholder_name="Li Si").customer.blacklisted


def test_a_persons_digest_does_not_depend_on_case_and_blanks() -> None:
    assert person_digest("cn", "id", "11010519491231002x") == person_digest("CN", "ID", " 11010519491231 002X")
    assert person_digest("CN", "ID", "1") != person_digest("CN", "PASSPORT", "1")
