"""The catalogue's rules: a second person approves, a published version never changes, stages go forward only."""

from datetime import date
from typing import Any

from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.lifecycle.commands import (
    ApproveProduct,
    CloseProduct,
    DraftProduct,
    OpenSandbox,
    PublishProduct,
    WithdrawProduct,
)
from services.quote.domain.lifecycle.events import (
    ProductApproved,
    ProductClosed,
    ProductDrafted,
    ProductPublished,
    ProductWithdrawn,
    SandboxOpened,
)
from services.quote.domain.product_versions import digest_of
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.launch import Requirement
from tests.support.decider_spec import DeciderSpec
from tests.unit.quote.orders import VERSIONS

product = DeciderSpec(QUOTE_DECIDER)
DOCUMENT = VERSIONS["motor-private"].document
STEP: dict[str, Any] = {"product_code": "motor-private", "product_version": 1}
DAY, LATER = date(2026, 3, 1), date(2026, 4, 1)


def drafted(document: ProductDocument = DOCUMENT, by: str = "Ann") -> ProductDrafted:
    step = {**STEP, "product_version": document.version}
    return ProductDrafted(**step, line=document.line, document=document.canonical(), by=by, why="spring plan")


def published(document: ProductDocument = DOCUMENT, first: date = DOCUMENT.on_sale_from) -> ProductPublished:
    return ProductPublished(
        **STEP,
        line=document.line,
        on_sale_from=first,
        on_sale_until=document.on_sale_until,
        document=document.canonical(),
        by="Ann",
        why="launch",
    )


def draft(document: ProductDocument = DOCUMENT, **changes: Any) -> DraftProduct:
    return DraftProduct(**{"document": document, "by": "Ann", "why": "spring plan", **changes})


def publish(first: date | None = None) -> PublishProduct:
    return PublishProduct(**STEP, from_day=first, by="Ann", why="launch")


def close(day: date | None = None) -> CloseProduct:
    return CloseProduct(**STEP, from_day=day, by="Ann", why="loss ratio")


def withdraw(day: date | None = None) -> WithdrawProduct:
    return WithdrawProduct(**STEP, from_day=day, by="Ann", why="replaced")


def closed(day: date | None = None) -> ProductClosed:
    return ProductClosed(**STEP, from_day=day, by="Ann", why="loss ratio")


def changed(**fields: Any) -> ProductDocument:
    return DOCUMENT.model_copy(update=fields)


DRAFTED = drafted()
APPROVE = ApproveProduct(**STEP, by="Bob", why="review 12")
APPROVED = ProductApproved(**STEP, document_digest=digest_of(DOCUMENT.canonical()), by="Bob", why="review 12")
OPEN = OpenSandbox(**STEP, channels=("river", "hill"), from_day=None, by="Ann", why="trial")
OPENED = SandboxOpened(**STEP, channels=("hill", "river"), from_day=None, by="Ann", why="trial")
PUBLISHED = published()
WITHDRAWN = ProductWithdrawn(**STEP, reason="replaced", by="Ann")
BEFORE_NAMES = PUBLISHED.model_copy(update={"by": None, "why": None})
"""As it was recorded when publishing was one step of nobody in particular."""


def test_a_version_goes_from_draft_to_withdrawal_step_by_step() -> None:
    product.given().when(draft()).then(DRAFTED)
    product.given(DRAFTED).when(APPROVE).then(APPROVED)
    product.given(DRAFTED, APPROVED).when(OPEN).then(OPENED)
    product.given(DRAFTED, APPROVED, OPENED).when(publish()).then(PUBLISHED)
    product.given(DRAFTED, APPROVED, OPENED, PUBLISHED).when(close(DAY)).then(closed(DAY))
    product.given(DRAFTED, APPROVED, OPENED, PUBLISHED, closed(DAY)).when(withdraw()).then(WITHDRAWN)


def test_no_version_leaves_draft_without_approval() -> None:
    product.given(DRAFTED).when(publish()).then_refused("product_not_approved")
    product.given(DRAFTED).when(OPEN).then_refused("product_not_approved")


def test_who_wrote_a_draft_cannot_approve_it_however_the_name_is_written() -> None:
    by_ann = [ApproveProduct(**STEP, by=name, why="fine") for name in ("Ann", " ann ", "\uff21\uff2e\uff2e")]
    for approve in by_ann:
        product.given(DRAFTED).when(approve).then_refused("product_approved_by_author")


def test_who_wrote_an_earlier_draft_of_the_version_cannot_approve_it_either() -> None:
    second = drafted(changed(term_months=6), by="Bob")
    product.given(DRAFTED, second).when(ApproveProduct(**STEP, by="Ann", why="x")).then_refused(
        "product_approved_by_author"
    )
    product.given(DRAFTED, second).when(ApproveProduct(**STEP, by="Cem", why="x")).then_types(ProductApproved)


def test_an_approval_is_of_the_draft_that_was_read() -> None:
    other = ApproveProduct(**STEP, by="Bob", why="x", document_digest=digest_of("other"))
    product.given(DRAFTED).when(other).then_refused("product_draft_changed")
    told = APPROVED.document_digest[:12]
    product.given(DRAFTED).when(ApproveProduct(**STEP, by="Bob", why="review 12", document_digest=told)).then(APPROVED)


def test_another_draft_needs_another_approval() -> None:
    other = drafted(changed(term_months=6))
    product.given(DRAFTED, APPROVED).when(draft(changed(term_months=6))).then(other)
    product.given(DRAFTED, APPROVED, other).when(publish()).then_refused("product_not_approved")


def test_the_same_document_again_is_nothing_even_where_its_text_has_aged() -> None:
    product.given(DRAFTED).when(draft()).then_nothing()
    product.given(DRAFTED, APPROVED, PUBLISHED).when(draft(by="Cem")).then_nothing()
    without_new_fields = '"regions":null,'
    aged = DOCUMENT.canonical().replace(without_new_fields, "")
    assert aged != DOCUMENT.canonical()
    product.given(PUBLISHED.model_copy(update={"document": aged})).when(draft()).then_nothing()


def test_a_published_version_never_changes_and_the_refusal_names_the_paths() -> None:
    other = changed(term_months=6, split=DOCUMENT.split.model_copy(update={"tax_bp": 0, "insurer_bp": 6_500}))
    for history in ((PUBLISHED,), (DRAFTED, APPROVED, OPENED), (BEFORE_NAMES, WITHDRAWN)):
        spec = product.given(*history).when(draft(other))
        spec.then_refused("product_version_published")
        assert "term_months, split.insurer_bp, split.tax_bp" in str(spec.refusal)


def test_a_change_is_a_new_version() -> None:
    product.given(PUBLISHED).when(draft(changed(term_months=6, version=2))).then_types(ProductDrafted)


def test_a_clone_never_overwrites_a_draft() -> None:
    other = draft(changed(term_months=6), cloned_from="motor-private 1")
    product.given(DRAFTED).when(other).then_refused("product_version_exists")


def test_a_day_of_sale_can_be_moved() -> None:
    moved = published(first=LATER)
    product.given(DRAFTED, APPROVED, PUBLISHED).when(publish(LATER)).then(moved)
    product.given(DRAFTED, APPROVED, PUBLISHED, moved).when(publish()).then_types(ProductPublished)


def test_sale_does_not_begin_after_its_last_day() -> None:
    short = changed(on_sale_until=date(2026, 3, 31))
    approved = APPROVED.model_copy(update={"document_digest": digest_of(short.canonical())})
    product.given(drafted(short), approved).when(publish(LATER)).then_refused("sale_ends_before_it_begins")
    product.given(drafted(short), approved).when(publish(DAY)).then(published(short, DAY))


def test_the_full_path_leads_through_the_sandbox_and_the_short_one_need_not() -> None:
    paper = Requirement(reference="PRD-7", content_sha256="0" * 64)
    full, short = (changed(requirement=paper.model_copy(update={"path": path})) for path in ("full", "short"))
    product.given(drafted(full), APPROVED).when(publish()).then_refused("sandbox_required")
    product.given(drafted(full), APPROVED, OPENED).when(publish()).then_types(ProductPublished)
    product.given(drafted(short), APPROVED).when(publish()).then_types(ProductPublished)


def test_the_sandbox_is_before_sale_and_for_channels_of_the_document() -> None:
    product.given(DRAFTED, APPROVED, PUBLISHED).when(OPEN).then_refused("product_on_sale")
    document = changed(channels=("river",))
    product.given(drafted(document), APPROVED).when(OPEN).then_refused("channel_not_in_document")


def test_only_what_was_on_sale_is_closed() -> None:
    product.given(DRAFTED, APPROVED).when(close()).then_refused("product_not_on_sale")


def test_an_end_is_brought_forward_and_never_put_off() -> None:
    history = (DRAFTED, APPROVED, PUBLISHED, closed(DAY))
    product.given(*history).when(close(DAY)).then_nothing()
    product.given(*history).when(close(LATER)).then_refused("product_ends_earlier")
    product.given(*history).when(close()).then(closed())
    planned = ProductWithdrawn(**STEP, reason="replaced", from_day=DAY, by="Ann")
    product.given(*history, planned).when(withdraw(LATER)).then_refused("product_ends_earlier")
    product.given(*history, planned).when(withdraw()).then(WITHDRAWN)


def test_what_is_withdrawn_is_not_closed_approved_or_published_again() -> None:
    gone = (DRAFTED, APPROVED, PUBLISHED, WITHDRAWN)
    product.given(*gone).when(close()).then_refused("product_version_withdrawn")
    product.given(*gone).when(publish(LATER)).then_refused("product_version_withdrawn")
    product.given(DRAFTED, WITHDRAWN).when(APPROVE).then_refused("product_version_withdrawn")
    product.given(*gone).when(publish()).then_nothing()


def test_what_is_closed_is_not_put_on_sale_again() -> None:
    product.given(DRAFTED, APPROVED, PUBLISHED, closed()).when(publish(LATER)).then_refused("product_version_closed")


def test_only_a_known_version_takes_steps() -> None:
    for command in (APPROVE, OPEN, publish(), close(), withdraw()):
        product.given().when(command).then_refused("product_version_unknown")


def test_what_was_published_before_steps_named_persons_is_on_sale_and_ends_as_any_other() -> None:
    product.given(BEFORE_NAMES).when(APPROVE).then_nothing()
    product.given(BEFORE_NAMES).when(publish()).then_nothing()
    product.given(BEFORE_NAMES).when(withdraw()).then(WITHDRAWN)
    product.given(BEFORE_NAMES, ProductWithdrawn(**STEP, reason="replaced")).when(withdraw()).then_nothing()
