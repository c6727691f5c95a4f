"""Identifiers: their form, and the ones that are derived from what caused them, never drawn at random."""

import hashlib
from typing import Annotated

from pydantic import StringConstraints

# Crockford base 32 has no I, L, O, U, so that a number read out on the telephone stays itself.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CONTRACT_ID_LENGTH = 16
# His check symbols: 37 is a prime above the alphabet, so every single wrong symbol changes the sum.
_CHECK_ALPHABET = _ALPHABET + "*~$=U"

ChannelCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$")]
BookCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$")]
# Such as CN-31 or FR-75: the code under which products say where they are sold, and orders where they come from.
RegionCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$")]
ProductCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
CoverageCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$")]
# A business number of a channel's own: visible ASCII, no blanks, so that it can stand in a URL or a header.
ExternalNumber = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
ContractId = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{16}$")]
PolicyNumber = Annotated[str, StringConstraints(pattern=r"^P[0-9]{2}(-[0-9A-HJKMNP-TV-Z]{4}){4}-[0-9A-HJKMNP-Z*~$=]$")]
# SHA-256 in small hex of `<country>:<kind>:<number>` in capitals, such as CN:ID:11010519491231002X: the same person
# is the same through every channel, and the number itself never travels.
PersonDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ClaimNumber = Annotated[str, StringConstraints(pattern=r"^C[0-9A-HJKMNP-TV-Z]{16}$")]


SANDBOX_SUFFIX = "-sandbox"
"""Ends the code of a channel that tries things out: `river-sandbox` is where `river` does."""


def is_sandbox(channel: str) -> bool:
    """Whether what this channel sends is a trial: its contracts are test contracts in every service, for ever."""
    return channel.endswith(SANDBOX_SUFFIX)


def channel_behind(channel: str) -> str:
    """The channel whose sandbox this is; any other channel is its own."""
    return channel.removesuffix(SANDBOX_SUFFIX)


def _base32(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _derived(*parts: str) -> str:
    # A unit separator between the parts: ("ab", "c") and ("a", "bc") must not meet.
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return _base32(int.from_bytes(digest[:10], "big"), _CONTRACT_ID_LENGTH)


def person_digest(country: str, kind: str, number: str) -> str:
    """The digest of a person's document, such as ("CN", "ID", "11010519491231002X"); case and blanks do not matter."""
    written = ":".join("".join(part.split()).upper() for part in (country, kind, number))
    return hashlib.sha256(written.encode()).hexdigest()


def contract_id_of(owner: str, contract_no: str) -> str:
    """The 80-bit id of a contract, from whoever numbers it (a channel or a shared book) and its number.

    The same order therefore always has the same id, in every service, without asking anybody.
    """
    return _derived("contract", owner, contract_no)


def numbering_owner(channel: str, book: str | None) -> str:
    """Who gives out a contract number: the channel itself, or a book that several channels sell from.

    Sandbox channels share a book among themselves, so that none of their messages can name a real contract.
    """
    if book is None:
        return f"channel:{channel}"
    return f"sandbox-book:{book}" if is_sandbox(channel) else f"book:{book}"


def policy_number(contract_id: str, term_no: int) -> str:
    """`P<term>-<contract id in fours>-<check>`, such as `P01-7K3M-9QX2-ZB4T-8HCW-5`; holds the contract id."""
    groups = "-".join(contract_id[i : i + 4] for i in range(0, _CONTRACT_ID_LENGTH, 4))
    return f"P{term_no:02d}-{groups}-{_check_symbol(contract_id, term_no)}"


def contract_of_policy(policy_no: str) -> str:
    """The contract id inside a policy number. Raises ValueError where the check symbol does not fit."""
    contract_id = policy_no[4:23].replace("-", "")
    if policy_no[-1] != _check_symbol(contract_id, int(policy_no[1:3])):
        raise ValueError("policy number has a wrong check symbol")
    return contract_id


def _check_symbol(contract_id: str, term_no: int) -> str:
    # Modulo a prime larger than any weight or symbol, every single error and every swap of neighbours shows.
    weighted = sum((place + 2) * _ALPHABET.index(symbol) for place, symbol in enumerate(contract_id))
    return _CHECK_ALPHABET[(weighted + term_no) % len(_CHECK_ALPHABET)]


def claim_number(channel: str, notice_no: str) -> str:
    """`C` and 16 symbols derived from the reporting channel and its notice number."""
    return "C" + _derived("claim", channel, notice_no)


def invoice_number(policy_or_order: str, instalment_no: int) -> str:
    """`<what is billed>/<instalment>`."""
    return f"{policy_or_order}/{instalment_no:02d}"
