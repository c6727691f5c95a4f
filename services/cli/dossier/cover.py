"""The part of a dossier about what followed the sale: terms, money, claims."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.cli.dossier.markup import Markup, element, facts, grid, inner, section, term
from services.cli.dossier.sale import Products, in_both_languages
from services.cli.dossier.story import Happening, moment, money, of_type, period, reasons

_PAID_OUT = "claim.paid"


def terms(told: Sequence[Happening], products: Products) -> Markup:
    """Every term that was put in force, or why none was."""
    parts = [_term(one, products) for one in of_type(told, "policy.issued", "policy.renewed")]
    waiting = of_type(told, "policy.payment_awaited", "policy.payment_confirmed", "policy.issuance_failed")
    if not parts:
        parts = [element("p", "No policy has been issued.")]
    rows = [(one.recorded, in_both_languages(one)) for one in waiting]
    return section(term("Policy terms", "保单 · 保险期间"), *parts, grid(["When", "What happened"], rows))


def _term(one: Happening, products: Products) -> Markup:
    agreed: Mapping[str, Any] = one.content.get("terms") or {}
    currency = agreed.get("currency")
    document = products.document(agreed.get("product_code"), agreed.get("product_version"))
    rows = [
        (
            products.coverage(coverage.get("code"), document),
            money(coverage.get("sum_insured_minor"), currency) or "without limit",
            money(coverage.get("premium_minor"), currency),
        )
        for coverage in agreed.get("coverages") or ()
    ]
    return section(
        [term("Policy", "保单"), f" {one.content.get('policy_no')}"],
        facts(
            [
                (
                    "Term",
                    f"{one.content.get('term_no')}, {'renewed 续保' if one.type == 'policy.renewed' else 'new 承保'}",
                ),
                (term("Period of insurance", "保险期间"), period(agreed)),
                ("Issued", one.recorded),
                ("Product", f"{agreed.get('product_code')}, version {agreed.get('product_version')}"),
                (term("Premium", "保费"), money(agreed.get("premium_minor"), currency)),
                (term("Settlement", "结算方式"), agreed.get("settlement")),
                (term("Instalments", "分期"), agreed.get("frequency")),
                *_wording(agreed.get("wording")),
            ]
        ),
        grid([term("Coverage", "责任"), term("Sum insured", "保额"), term("Premium", "保费")], rows, numbers=(1, 2)),
        level=3,
    )


def _wording(held: Mapping[str, Any] | None) -> list[tuple[Markup, Markup]]:
    """The wording that the term was sold under, where its product named one."""
    if not held:
        return []
    told = f"{held.get('code')}, version {held.get('version')}, filed as {held.get('filing_number')}"
    return [
        (term("Wording", "条款"), inner(told)),
        (term("SHA-256 of the wording", "条款内容校验"), element("code", held.get("content_sha256"))),
    ]


def accounts(told: Sequence[Happening]) -> Markup:
    """Instalments, payments, and the journal."""
    return section(
        term("Instalments and payments", "应收 · 实收"),
        element("h3", term("Instalments billed", "应收")),
        _invoices(told) or element("p", "Nothing was billed."),
        element("h3", term("Payments", "实收")),
        _payments(told) or element("p", "No payment was reported."),
        element("h3", "Journal"),
        _journal(told) or element("p", "Nothing was booked."),
    )


def _invoices(told: Sequence[Happening]) -> Markup:
    ends: dict[object, str] = {}
    for one in of_type(told, "payment.received", "suspense.matched"):
        for invoice in one.content.get("settled") or ():
            ends[_invoice(invoice)] = f"paid by {one.content.get('payment_no')}, booked {one.recorded}"
    for one in of_type(told, "premium_advance.reversed"):
        for invoice in one.content.get("cancelled") or ():
            ends[_invoice(invoice)] = f"cancelled {one.recorded}"
    rows = [
        (
            one.content.get("invoice_no"),
            f"{one.content.get('instalment_no')} of {one.content.get('instalments')}",
            one.content.get("due"),
            money(one.content.get("amount_minor"), one.content.get("currency")),
            ends.get(_invoice(one.content), "open"),
        )
        for one in of_type(told, "invoice.issued")
    ]
    return grid(["Invoice", term("Instalment", "期次"), "Due", "Amount", "Settled"], rows, numbers=(3,))


def _invoice(content: Mapping[str, Any]) -> object:
    return (content.get("channel"), content.get("order_no"), content.get("invoice_no"))


def _payments(told: Sequence[Happening]) -> Markup:
    outcomes = {
        "payment.received": "matched",
        "payment.suspended": "kept in suspense",
        "suspense.matched": "matched out of suspense",
        "payment.refused": "refused",
        _PAID_OUT: "paid out on a claim",
    }
    rows = [
        (
            one.content.get("payment_no") or one.content.get("claim_no"),
            moment(one.content["paid_at"]) if "paid_at" in one.content else "-",
            one.recorded,
            " ".join(filter(None, (outcomes[one.type], reasons(one.content.get("faults"))))),
            money(one.content.get("amount_minor"), one.content.get("currency")),
        )
        for one in of_type(told, *outcomes)
    ]
    return grid(["Payment", "Paid", "Booked", "What became of it", "Amount"], rows, numbers=(4,))


def _journal(told: Sequence[Happening]) -> Markup:
    rows = []
    for one in told:
        postings = one.content.get("postings")
        if one.service != "billing" or not isinstance(postings, dict):
            continue
        for account, amount in postings.items():
            written = money(abs(amount), one.content.get("currency"))
            sides = (written, "") if amount > 0 else ("", written)
            rows.append((one.recorded, one.type, account, *sides))
    return grid(["Booked", "Event", "Ledger account", "Debit", "Credit"], rows, numbers=(3, 4))


def claims(told: Sequence[Happening], products: Products) -> Markup:
    """Every claim from the notice to its end, and the notices that were refused."""
    numbers = dict.fromkeys(one.content.get("claim_no") for one in of_type(told, "claim.reported"))
    parts = [
        _claim([one for one in told if one.content.get("claim_no") == number], products, told) for number in numbers
    ]
    refused = [
        (one.recorded, one.content.get("notice_no"), reasons(one.content.get("faults")))
        for one in of_type(told, "loss_notice.refused")
    ]
    if not parts and not refused:
        parts = [element("p", "No claim was reported.")]
    return section(
        term("Claims", "赔案"),
        *parts,
        [element("h3", "Notices that were refused"), grid(["When", "Notice", "Why"], refused)] if refused else None,
    )


def _claim(own: Sequence[Happening], products: Products, told: Sequence[Happening]) -> Markup:
    first = own[0].content
    document: Mapping[str, Any] = {}
    for one in of_type(told, "policy.issued", "policy.renewed"):
        if one.content.get("policy_no") == first.get("policy_no"):
            agreed = one.content.get("terms") or {}
            document = products.document(agreed.get("product_code"), agreed.get("product_version"))
    currency = first.get("currency")
    lines = [line for one in of_type(own, "claim.adjudicated") for line in one.content.get("lines") or ()]
    rows = [
        (
            line.get("line_no"),
            products.coverage(line.get("coverage"), document),
            money(line.get("claimed_minor"), currency),
            money(line.get("available_minor"), currency) or "-",
            money(line.get("payable_minor"), currency),
            reasons([line["fault"]]) if line.get("fault") else "covered",
        )
        for line in lines
    ]
    heading = ["Line", term("Coverage", "责任"), "Claimed", "Left of the sum insured", "Payable", "Assessment"]
    return section(
        [term("Claim", "赔案"), f" {first.get('claim_no')}"],
        facts(
            [
                ("Notice", first.get("notice_no")),
                ("Policy", first.get("policy_no") or "none in force on the day of the loss"),
                ("Day of the loss", first.get("loss_date")),
                (term("Reported", "报案"), moment(first.get("reported_at"))),
                ("Description", first.get("description")),
                ("Claimed", money(first.get("claimed_minor"), currency)),
            ]
        ),
        element("h4", term("Adjudication", "理算")),
        grid(heading, rows, numbers=(2, 3, 4)),
        element("h4", term("Decision and payment", "核赔 · 结案")),
        grid(["When", "What happened"], [(one.recorded, _told(one)) for one in own]),
        level=3,
    )


def _told(one: Happening) -> Markup:
    why = one.content.get("reason")
    return inner([in_both_languages(one), f" {why}" if why else None])
