"""The part of a dossier about the sale: product, order, evidence, price with its working, decision."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from services.cli.dossier.markup import Content, Markup, element, facts, grid, inner, nested, section, term
from services.cli.dossier.story import Happening, is_told, moment, money, of_type, reasons, sentence

_PLACE = re.compile(r"risk\.(\w+?)s?\.(\d+)")
_SUBMITTED = "quote.application_submitted"
_DECISIONS = (
    "quote.application_accepted",
    "quote.application_declined",
    "quote.application_issued",
    "quote.application_not_issued",
    "quote.order_conflicted",
)


def in_both_languages(one: Happening) -> Markup:
    """What happened, in one sentence of each language; what has no sentence is told once."""
    told = sentence(one)
    return term(told, sentence(one, "zh")) if is_told(one.type) else inner(told)


class Products:
    """The product versions of a dossier, by code and number, as they were published."""

    def __init__(self, told: Sequence[Happening]) -> None:
        self._published = {
            (one.content.get("product_code"), one.content.get("product_version")): one
            for one in of_type(told, "quote.product_published")
        }

    def document(self, code: object, version: object) -> Mapping[str, Any]:
        """The document of a version, empty where the dossier has none."""
        one = self._published.get((code, version))
        try:
            found = json.loads(one.content["document"]) if one else {}
        except (ValueError, KeyError, TypeError):
            found = {}
        return found if isinstance(found, dict) else {}

    def coverage(self, code: object, document: Mapping[str, Any]) -> Content:
        """A coverage by its titles and its code."""
        for coverage in document.get("coverages") or ():
            if isinstance(coverage, dict) and coverage.get("code") == code:
                return [_titles(coverage), " ", element("span", f"({code})", class_="code")]
        return str(code)

    def sections(self) -> list[Markup]:
        """What was sold, a section for each version."""
        return [self._section(one) for one in self._published.values()]

    def _section(self, one: Happening) -> Markup:
        document = self.document(one.content.get("product_code"), one.content.get("product_version"))
        rules = document.get("underwriting")
        return section(
            [
                term("Product", "险种"),
                f" {one.content.get('product_code')}, version {one.content.get('product_version')}",
            ],
            facts(
                [
                    ("Title", _titles(document)),
                    ("Line of business", one.content.get("line")),
                    (
                        "On sale",
                        f"from {one.content.get('on_sale_from')} to {one.content.get('on_sale_until') or 'open end'}",
                    ),
                    ("Published", one.recorded),
                    ("Settlement", document.get("settlement")),
                    ("Term in months", document.get("term_months")),
                    ("SHA-256 of the document", _sha256(one.content.get("document"))),
                    (
                        term("Underwriting rules", "核保"),
                        nested([_rule(rule) for rule in rules]) if isinstance(rules, list) and rules else None,
                    ),
                ]
            ),
            element("p", "The whole document is in the appendix, as it was published.", class_="remark"),
        )


def _rule(rule: object) -> object:
    return {"fact": rule["fact"], **rule} if isinstance(rule, dict) and "fact" in rule else rule


def _titles(document: Mapping[str, Any]) -> Content:
    title = document.get("title")
    if not isinstance(title, dict):
        return document.get("code")
    return term(str(title.get("en", "")), str(title.get("zh", "")))


def _sha256(text: object) -> Content:
    return element("code", hashlib.sha256(str(text).encode()).hexdigest())


def applications(told: Sequence[Happening], products: Products) -> list[Markup]:
    """Every application of the contract with all that belongs to it."""
    return [
        _application(one, [other for other in told if other.event.stream == one.event.stream], products)
        for one in of_type(told, _SUBMITTED)
    ]


def _application(submitted: Happening, own: Sequence[Happening], products: Products) -> Markup:
    order: Mapping[str, Any] = submitted.content.get("order") or {}
    document = products.document(order.get("product"), submitted.content.get("product_version"))
    return section(
        [term("Application", "投保单"), f" of order {order.get('order_no')}"],
        _order(submitted, order, products, document),
        section(term("Risk insured", "被保险人 · 标的"), nested(_without(order.get("risk"), "line")), level=3),
        _evidence(order),
        *(_price(one, products, document) for one in of_type(own, "quote.premium_rated")),
        _decisions(own, document),
    )


def _order(submitted: Happening, order: Mapping[str, Any], products: Products, document: Mapping[str, Any]) -> Markup:
    currency = order.get("currency")
    rows = [
        (
            products.coverage(one.get("code"), document),
            money(one.get("sum_insured_minor"), currency),
            money(one.get("premium_minor"), currency) or "by the tariff",
        )
        for one in order.get("coverages") or ()
    ]
    return inner(
        [
            facts(
                [
                    (term("Channel", "渠道"), submitted.content.get("channel")),
                    (term("Order number", "渠道订单号"), order.get("order_no")),
                    ("Contract number", order.get("contract_no")),
                    (term("Policyholder", "投保人"), order.get("policyholder_name") or "not named in the order"),
                    ("Placed", moment(order.get("placed_at"))),
                    ("Taken in", f"{submitted.recorded}, from {submitted.content.get('source')}"),
                    (
                        "Product",
                        f"{order.get('product')}, version {submitted.content.get('product_version') or 'none'}",
                    ),
                    (term("Inception", "起保"), order.get("effective")),
                    (term("Instalments", "分期"), order.get("frequency")),
                    ([term("Premium", "保费"), " as ordered"], money(order.get("premium_minor"), currency)),
                ]
            ),
            grid([term("Coverage", "责任"), term("Sum insured", "保额"), "Premium as ordered"], rows, numbers=(1, 2)),
        ]
    )


def _evidence(order: Mapping[str, Any]) -> Markup:
    evidence: Mapping[str, Any] = order.get("evidence") or {}
    motive = facts(
        [
            ("Campaign", order.get("campaign")),
            ("Source of the sale", evidence.get("source")),
            ("Page that led to the order", evidence.get("page_path")),
        ]
    )
    title = term("Evidence of the sale", "可回溯")
    if not evidence:
        return section(
            title, motive, element("p", "The channel sent no evidence of the sale with this order."), level=3
        )
    pages = [
        (one.get("page_id"), one.get("version"), one.get("action"), moment(one.get("seen_at")), _digest(one))
        for one in evidence.get("pages") or ()
    ]
    disclosures = [
        (one.get("code"), one.get("version"), moment(one.get("acknowledged_at")))
        for one in evidence.get("disclosures") or ()
    ]
    consents = [
        (one.get("purpose"), one.get("version"), "yes" if one.get("given") else "no", moment(one.get("stated_at")))
        for one in evidence.get("consents") or ()
    ]
    return section(
        title,
        motive,
        element("h4", f"Pages that the buyer saw: {len(pages)}"),
        grid(["Page", "Version", "What the buyer did", "When", "SHA-256 of the page's content"], pages),
        element("h4", term(f"Disclosures acknowledged: {len(disclosures)}", "如实告知 · 条款说明")),
        grid(["Disclosure", "Version", "When"], disclosures),
        element("h4", f"Consents: {len(consents)}"),
        grid(["Purpose", "Version of the text", "Given", "When"], consents),
        level=3,
    )


def _digest(page: Mapping[str, Any]) -> Markup:
    return element("code", str(page.get("sha256")))


def _price(rated: Happening, products: Products, document: Mapping[str, Any]) -> Markup:
    currency = rated.content.get("currency")
    working = [step for step in rated.content.get("working") or () if isinstance(step, dict)]
    coverages = [coverage for coverage in rated.content.get("coverages") or () if isinstance(coverage, dict)]
    prices = [
        (products.coverage(coverage.get("code"), document), money(coverage.get("premium_minor"), currency))
        for coverage in coverages
    ]
    parts: list[Content] = []
    for coverage, (name, amount) in zip(coverages, prices, strict=True):
        own = [step for step in working if step.get("coverage") == coverage.get("code")]
        if own:
            parts += [element("h4", [name, f": {amount}"]), _steps(own), _multiplied(own, coverage, currency)]
    known = {coverage.get("code") for coverage in coverages}
    others = [step for step in working if step.get("coverage") not in known]
    return section(
        [term("Premium", "保费"), " and its working"],
        element("p", f"Worked out {rated.recorded}: {money(rated.content.get('premium_minor'), currency)} in all."),
        grid([term("Coverage", "责任"), term("Premium", "保费")], prices, numbers=(1,)),
        _steps(others),
        *parts,
        level=3,
    )


def _steps(steps: Sequence[Mapping[str, Any]]) -> Markup:
    more = list(
        dict.fromkeys(key for step in steps for key in step if key not in ("coverage", "subject", "origin", "value"))
    )
    rows = [
        (_subject(step.get("subject")), step.get("origin"), *(nested(step.get(key)) for key in more), step.get("value"))
        for step in steps
    ]
    return grid(
        ["For", "Where it comes from", *more, "Number (amounts in minor units)"], rows, numbers=(2 + len(more),)
    )


def _subject(path: object) -> str:
    """`risk.insureds.0` as people say it: insured 1."""
    found = _PLACE.fullmatch(str(path or ""))
    if found is not None:
        return f"{found[1].replace('_', ' ')} {int(found[2]) + 1}"
    return str(path or "the whole").removeprefix("risk.")


def _multiplied(steps: Sequence[Mapping[str, Any]], coverage: Mapping[str, Any], currency: object) -> Content:
    """The sum of the products over the subjects, where that is the premium; other workings speak for themselves."""
    exact: dict[object, Fraction] = {}
    try:
        for step in steps:
            value = str(step["value"])
            number = Fraction(value.removesuffix("%").strip()) / (100 if value.endswith("%") else 1)
            exact[step.get("subject")] = exact.get(step.get("subject"), Fraction(1)) * number
    except (ValueError, KeyError, ZeroDivisionError):
        return None
    whole = sum(exact.values(), Fraction(0))
    if not steps or int(whole + Fraction(1, 2)) != coverage.get("premium_minor"):
        return None
    told = "multiplied" if len(exact) == 1 else f"multiplied for each of {len(exact)} and added up"
    minor = f"{float(whole):,.4f}".rstrip("0").rstrip(".")
    sum_up = (
        f"The numbers {told} are {minor} minor units; rounded once: {money(coverage.get('premium_minor'), currency)}."
    )
    return element("p", sum_up, class_="remark")


def _decisions(own: Sequence[Happening], document: Mapping[str, Any]) -> Markup:
    rows = [(one.recorded, _outcome(one), _grounds(one, document)) for one in of_type(own, *_DECISIONS)]
    return section(term("Decision", "核保"), grid(["When", "Decision", "Reasons"], rows), level=3)


def _outcome(one: Happening) -> str:
    if one.type == "quote.application_accepted":
        terms = one.content.get("terms") or {}
        return f"accepted at {money(terms.get('premium_minor'), terms.get('currency'))}"
    if one.type == "quote.application_issued":
        return f"issued as policy {one.content.get('policy_no')}"
    return one.type.removeprefix("quote.").replace("_", " ")


def _grounds(one: Happening, document: Mapping[str, Any]) -> str:
    if one.content.get("faults"):
        return reasons(one.content["faults"])
    if one.type == "quote.application_accepted":
        rules = len(document.get("underwriting") or ())
        named = "the underwriting rule" if rules == 1 else f"the {rules} underwriting rules"
        return f"no check of sale, plan and price, and none of {named} of the product, found a fault; no person decided"
    return ""


def _without(value: object, *names: str) -> Any:
    return {name: child for name, child in value.items() if name not in names} if isinstance(value, dict) else value
