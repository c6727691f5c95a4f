"""A dossier as one page that needs nothing else: what people read first, what proves it last, the document inside."""

import json
from collections.abc import Sequence
from importlib import resources

from services.cli.dossier import cover, sale
from services.cli.dossier.document import Dossier
from services.cli.dossier.markup import Markup, element, facts, grid, nested, section, term
from services.cli.dossier.story import Happening, happenings, moment, money, of_type
from services.kernel.proof.checkpoint import Checkpoint
from services.kernel.proof.extract import Extract, Run
from services.kernel.proof.signed_note import SignedNote


def page(dossier: Dossier) -> str:
    """The whole page. The same dossier always gives the same bytes, so a page that was changed shows."""
    told = happenings(dossier)
    products = sale.Products(told)
    title = f"Dossier of contract {dossier.contract_id}"
    style = resources.files("services.cli.dossier").joinpath("dossier.css").read_text("utf-8")
    body = element(
        "main",
        element("h1", title),
        _at_a_glance(dossier, told),
        _timeline(told),
        *sale.applications(told, products),
        *products.sections(),
        cover.terms(told, products),
        cover.accounts(told),
        cover.claims(told, products),
        _events(told),
        _proof(dossier),
        _appendix(told),
    )
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width">'),
        element("title", title),
        Markup(f"<style>\n{style}</style>"),
    )
    whole = element("html", head, element("body", body, Markup(dossier.embedded())), lang="en")
    return f"<!DOCTYPE html>\n{whole}\n"


def _at_a_glance(dossier: Dossier, told: Sequence[Happening]) -> Markup:
    submitted = of_type(told, "quote.application_submitted")
    issued = of_type(told, "policy.issued", "policy.renewed")
    orders = [one.content.get("order") or {} for one in submitted]
    agreed = [one.content.get("terms") or {} for one in issued]
    reported, closed = of_type(told, "claim.reported"), of_type(told, "claim.closed")
    claims = [f"{len(reported)} reported, {len(closed)} closed"] if reported else ["none"]
    claims += [f"paid {money(one.content.get('paid_minor'), one.content.get('currency'))}" for one in closed]
    names = dict.fromkeys(str(order["policyholder_name"]) for order in orders if order.get("policyholder_name"))
    return section(
        "At a glance",
        facts(
            [
                ("Contract", dossier.contract_id),
                (term("Policies", "保单"), ", ".join(str(one.content.get("policy_no")) for one in issued) or "none"),
                (term("Policyholder", "投保人"), ", ".join(names) or "not named in the orders"),
                (
                    term("Channel", "渠道"),
                    ", ".join(dict.fromkeys(str(one.content.get("channel")) for one in submitted)),
                ),
                (
                    term("Product", "险种"),
                    ", ".join(
                        dict.fromkeys(
                            f"{one.content['order'].get('product')} version {one.content.get('product_version')}"
                            for one in submitted
                            if isinstance(one.content.get("order"), dict)
                        )
                    ),
                ),
                (
                    term("Premium", "保费"),
                    ", ".join(money(one.get("premium_minor"), one.get("currency")) for one in agreed) or None,
                ),
                (term("Claims", "赔案"), ", ".join(claims)),
                ("Events", f"{dossier.events}, recorded {told[0].recorded} to {told[-1].recorded}" if told else "none"),
                ("This dossier was made", moment(dossier.made_at)),
            ]
        ),
        element(
            "p",
            "It holds personal data: hand it on to those only who may see it. All times are UTC; what a buyer did is "
            "told by the channel, what was recorded by the ledger. How to check it is said under Proof.",
            class_="remark",
        ),
    )


def _timeline(told: Sequence[Happening]) -> Markup:
    rows = [(one.recorded, one.service, sale.in_both_languages(one)) for one in told]
    return section("What happened, in order", grid(["Recorded", "Service", "What happened"], rows))


def _events(told: Sequence[Happening]) -> Markup:
    rows = [
        (
            one.recorded,
            one.service,
            f"{one.event.partition}/{one.event.position}",
            one.type,
            f"{one.event.stream} {one.event.version}",
            element("code", one.event.digest[:12]),
        )
        for one in told
    ]
    heading = ["Recorded", "Service", "Partition/position", "Type", "Stream and version", "Digest, its start"]
    return section("Events as they lie in the logs", grid(heading, rows))


_CHECK = """
Save this file and run `pledger dossier verify FILE --keys public-keys`, with the services' public keys from a place
that you trust. It computes every digest from the events again, follows the chain to the signed checkpoints, checks
their Ed25519 signatures, and compares this page with what the events give.
"""
_FORMAT = """
Without that program: an event's digest is sha256(tag, digest before it, header, sha256(data), sha256(meta)). The tag is
`policy-ledger/log/1`; the header is partition (2 bytes), position (8), recorded_at in microseconds since 1970 (8),
version (4), schema_version (4), then stream and type, each behind its length in 4 bytes; all big endian. Data and
meta are the texts of the document, in UTF-8. A run starts with the digest at its position and takes each link in
turn, with the hashes that stand in it; it ends with the head that its checkpoint has for the partition. The document
is in this file as JSON, in the script element with the id `dossier`.
"""


def _proof(dossier: Dossier) -> Markup:
    return section("Proof", element("p", _CHECK), element("p", _FORMAT), *(_proof_of(part) for part in dossier.parts))


def _proof_of(part: Extract) -> Markup:
    rows = [
        (
            f"{event.partition}/{event.position}",
            element("code", event.before),
            element("code", event.digest),
            _covered_by(part, event.partition, event.position),
        )
        for event in part.events
    ]
    notes = dict.fromkeys(run.checkpoint for run in part.runs)
    return section(
        part.service,
        grid(["Place", "Digest before it", "Its digest", "Signed in"], rows),
        *(element("p", f"Not signed: {why}.") for why in part.unsigned),
        element("h4", "What the service signed about this extract"),
        element("pre", part.statement or "nothing: it has no key"),
        [element("h4", "Checkpoints"), *(element("pre", note) for note in notes)] if notes else None,
        level=3,
    )


def _covered_by(part: Extract, partition: int, position: int) -> str:
    for run in part.runs:
        if run.partition == partition and run.position < position <= run.position + len(run.links):
            return f"{_label(run)}, through {len(run.links):,} links"
    return "not yet"


def _label(run: Run) -> str:
    try:
        return Checkpoint.parse(SignedNote.parse(run.checkpoint).text).label
    except ValueError:
        return "a note that is no checkpoint"


def _appendix(told: Sequence[Happening]) -> Markup:
    parts = [
        section(
            f"{one.service} {one.event.partition}/{one.event.position}: {one.type}",
            nested({**one.content, **_documents(one)}),
            element("p", ["Metadata: ", element("code", one.event.meta)], class_="remark"),
            level=3,
        )
        for one in told
    ]
    return element("div", section("Appendix: all that each event says", *parts), class_="appendix")


def _documents(one: Happening) -> dict[str, object]:
    """A document that an event carries as text, to be shown field by field."""
    text = one.content.get("document")
    try:
        return {"document": json.loads(text)} if isinstance(text, str) else {}
    except ValueError:
        return {}
