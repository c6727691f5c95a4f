"""What is known of customers when their orders are read: the blacklist, and their other contracts."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from contracts.vocabulary.identifiers import is_sandbox
from services.kernel.messages import Delivery
from services.kernel.read_models import ReadModels
from services.quote import underwriting_queries
from services.quote.domain.underwriting.assessment import UNKNOWN_CUSTOMER, CustomerStanding, OtherContract

DOCUMENT, NAME = "document", "name"
_CUSTOMER = re.compile(rb'"policyholder_id"\s*:\s*"([0-9a-f]{64})"')


def name_digest(name: str) -> str:
    """The digest of a name, without regard to case and blanks."""
    return hashlib.sha256("".join(name.split()).casefold().encode()).hexdigest()


class Customers:
    """Filled before each batch of orders. Asking it needs no I/O; an order without a customer costs nothing."""

    def __init__(
        self, listed: Iterable[tuple[str, str]] = (), contracts: Mapping[str, Sequence[OtherContract]] | None = None
    ) -> None:
        self._seen: underwriting_queries.BlacklistMark | None = None
        self._listed = frozenset(listed)
        self._contracts = {customer: list(own) for customer, own in (contracts or {}).items()}

    def standing(self, channel: str, name: str | None, customer: str | None, contract_id: str) -> CustomerStanding:
        """What is known of the policyholder, besides the contract that is ordered itself.

        Business of a sandbox counts in that sandbox alone, and real business counts in none.
        """
        listed = bool(self._listed) and (
            (DOCUMENT, customer or "") in self._listed
            or (name is not None and (NAME, name_digest(name)) in self._listed)
        )
        if customer is None:
            return CustomerStanding(blacklisted=True) if listed else UNKNOWN_CUSTOMER
        found = self._contracts.get(customer)
        if found is None:
            return CustomerStanding(blacklisted=listed)
        counted = channel if is_sandbox(channel) else None
        others = tuple(
            one
            for one in found
            if one.contract_id != contract_id and (one.channel if is_sandbox(one.channel) else None) == counted
        )
        return CustomerStanding(blacklisted=listed, contracts=others)

    async def refresh(self, read: ReadModels, deliveries: Sequence[Delivery]) -> None:
        """Read the blacklist again where it changed, and the contracts of the customers that these orders name."""
        mark = await underwriting_queries.blacklist_mark(read)
        if mark != self._seen:
            self._listed = frozenset((one.kind, one.subject) for one in await underwriting_queries.blacklist(read))
            self._seen = mark
        named = {found[1].decode() for delivery in deliveries if (found := _CUSTOMER.search(delivery.value or b""))}
        if not named:
            # Other topics' batches are prepared meanwhile: what the orders' batch looked up must stay until it is read.
            return
        contracts: dict[str, list[OtherContract]] = {customer: [] for customer in named}
        for one in await underwriting_queries.contracts_of_customers(read, sorted(named)):
            contracts[one.customer].append(one.contract())
        self._contracts = contracts
