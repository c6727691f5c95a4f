"""Why a notice is refused or a line declined, in the words that the channel reads."""

from datetime import date

from contracts.vocabulary.faults import Fault, FaultCode


def notice_number_reused(notice_no: str) -> Fault:
    """The number names a notice of other content already."""
    return Fault(
        code=FaultCode.NOTICE_NUMBER_REUSED,
        path="notice_no",
        message=f"notice {notice_no} was reported before with other content, and the first one stands; "
        "give a new loss a new number",
    )


def claimed_total_too_high(limit_minor: int) -> Fault:
    """The lines together claim more than any amount may be."""
    return Fault(
        code=FaultCode.INVALID_FIELD,
        path="lines",
        message=f"the lines together claim more than {limit_minor} minor units; check the amounts",
    )


def policy_unknown() -> Fault:
    """The contract has no term at all."""
    return Fault(
        code=FaultCode.POLICY_UNKNOWN,
        message="no policy of this contract is known; check policy_no, or contract_no and book",
    )


def no_cover_in_force(loss_date: date) -> Fault:
    """No term covers the loss date."""
    return Fault(
        code=FaultCode.NO_COVER_IN_FORCE,
        path="loss_date",
        message=f"no term of this contract covers {loss_date}; check the date of loss",
    )


def guarantee_not_bought(place: int, coverage: str, policy_no: str) -> Fault:
    """The term in force lacks the coverage."""
    return Fault(
        code=FaultCode.GUARANTEE_NOT_BOUGHT,
        path=f"lines.{place}.coverage",
        message=f"policy {policy_no} does not include coverage {coverage}",
    )


def wrong_currency(currency: str, policy_no: str) -> Fault:
    """The claim is in another currency than the policy."""
    return Fault(
        code=FaultCode.WRONG_CURRENCY,
        path="currency",
        message=f"policy {policy_no} is in {currency}; report the claim in {currency}",
    )


def limit_exhausted(place: int, coverage: str, policy_no: str) -> Fault:
    """Earlier claims have taken the whole sum insured."""
    return Fault(
        code=FaultCode.LIMIT_EXHAUSTED,
        path=f"lines.{place}.claimed_minor",
        message=f"nothing is left of the sum insured of coverage {coverage} under policy {policy_no}",
    )


def declined_by_adjuster(place: int, reason: str) -> Fault:
    """A person declined what the rules would have paid."""
    return Fault(code=FaultCode.DECLINED_BY_ADJUSTER, path=f"lines.{place}", message=reason)
