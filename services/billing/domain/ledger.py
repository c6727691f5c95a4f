"""The chart of accounts, and the journal entry of every movement of money.

An entry maps ledger accounts to signed minor units: debit positive, credit negative, sum zero. Accounts that
an entry does not move are left out, so that a movement of nothing has an empty entry.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from contracts.vocabulary.money import AmountMinor, split, split_increase
from contracts.vocabulary.products import PremiumSplit


class LedgerAccount(StrEnum):
    """Ledger accounts; the value is the name in the books."""

    CASH = "cash"
    PREMIUM_RECEIVABLE = "premium-receivable"
    PREMIUM_ADVANCE = "premium-advance"
    WRITTEN_PREMIUM = "written-premium"
    COMMISSION_PAYABLE = "commission-payable"
    PLATFORM_FEE_PAYABLE = "platform-fee-payable"
    PREMIUM_TAX_PAYABLE = "premium-tax-payable"
    SUSPENSE = "suspense"
    REFUNDS_PAYABLE = "refunds-payable"
    CLAIMS_INCURRED = "claims-incurred"


def balanced(postings: dict[LedgerAccount, int]) -> dict[LedgerAccount, int]:
    """The entry itself. Raises ValueError where its debits and credits differ."""
    difference = sum(postings.values())
    if difference:
        raise ValueError(f"journal entry does not balance, debits minus credits are {difference}")
    return postings


Postings: TypeAlias = Annotated[dict[LedgerAccount, AmountMinor], AfterValidator(balanced)]
"""A journal entry; one that does not balance can neither be made nor be read back."""


def _entry(legs: Mapping[LedgerAccount, int]) -> dict[LedgerAccount, int]:
    return {account: amount for account, amount in legs.items() if amount}


def _transfer(debit: LedgerAccount, credit: LedgerAccount, amount_minor: int) -> dict[LedgerAccount, int]:
    return _entry({debit: amount_minor, credit: -amount_minor})


def _weights(shares: PremiumSplit) -> dict[LedgerAccount, int]:
    return {
        LedgerAccount.WRITTEN_PREMIUM: shares.insurer_bp,
        LedgerAccount.COMMISSION_PAYABLE: shares.commission_bp,
        LedgerAccount.PLATFORM_FEE_PAYABLE: shares.platform_fee_bp,
        LedgerAccount.PREMIUM_TAX_PAYABLE: shares.tax_bp,
    }


def shares_of(premium_minor: int, shares: PremiumSplit) -> dict[LedgerAccount, int]:
    """What insurer, channel, platform and tax get of a whole term's premium; their sum is the premium."""
    return split(premium_minor, _weights(shares))


def premium_billed(billed_before_minor: int, amount_minor: int, shares: PremiumSplit) -> dict[LedgerAccount, int]:
    """An instalment of cover in force, after `billed_before_minor` of the same term.

    The running total of the term is split and the difference booked: splitting each instalment alone drifts
    from the agreed shares.
    """
    parts = split_increase(billed_before_minor, amount_minor, _weights(shares))
    own_shares = {account: -part for account, part in parts.items()}
    return _entry({LedgerAccount.PREMIUM_RECEIVABLE: amount_minor, **own_shares})


def advance_billed(amount_minor: int) -> dict[LedgerAccount, int]:
    """An instalment billed before cover: owed to us, and not ours until the policy is issued."""
    return _transfer(LedgerAccount.PREMIUM_RECEIVABLE, LedgerAccount.PREMIUM_ADVANCE, amount_minor)


def advance_released(premium_minor: int, shares: PremiumSplit) -> dict[LedgerAccount, int]:
    """The policy is issued: what was billed before cover becomes premium and its shares."""
    own_shares = {account: -part for account, part in shares_of(premium_minor, shares).items()}
    return _entry({LedgerAccount.PREMIUM_ADVANCE: premium_minor, **own_shares})


def advance_reversed(open_minor: int, paid_minor: int) -> dict[LedgerAccount, int]:
    """The policy will not be issued: open invoices are dropped, money received is owed back."""
    return _entry(
        {
            LedgerAccount.PREMIUM_ADVANCE: open_minor + paid_minor,
            LedgerAccount.PREMIUM_RECEIVABLE: -open_minor,
            LedgerAccount.REFUNDS_PAYABLE: -paid_minor,
        }
    )


def payment_matched(amount_minor: int) -> dict[LedgerAccount, int]:
    """Money that settles invoices."""
    return _transfer(LedgerAccount.CASH, LedgerAccount.PREMIUM_RECEIVABLE, amount_minor)


def payment_suspended(amount_minor: int) -> dict[LedgerAccount, int]:
    """Money that matches nothing that is open."""
    return _transfer(LedgerAccount.CASH, LedgerAccount.SUSPENSE, amount_minor)


def suspense_matched(amount_minor: int) -> dict[LedgerAccount, int]:
    """Suspended money that settles invoices after all."""
    return _transfer(LedgerAccount.SUSPENSE, LedgerAccount.PREMIUM_RECEIVABLE, amount_minor)


def claim_paid(amount_minor: int) -> dict[LedgerAccount, int]:
    """An approved claim, paid out."""
    return _transfer(LedgerAccount.CLAIMS_INCURRED, LedgerAccount.CASH, amount_minor)
