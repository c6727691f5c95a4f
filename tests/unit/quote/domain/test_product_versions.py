"""The catalogue's rules: published once, never edited, withdrawn once."""

from services.quote.domain.commands import PublishProduct, WithdrawProduct
from services.quote.domain.decider import QUOTE_DECIDER
from services.quote.domain.events import ProductPublished, ProductWithdrawn
from tests.support.decider_spec import DeciderSpec
from tests.unit.quote.orders import VERSIONS

product = DeciderSpec(QUOTE_DECIDER)
DOCUMENT = VERSIONS["motor-private"].document
PUBLISHED = ProductPublished(
    product_code="motor-private",
    product_version=1,
    line=DOCUMENT.line,
    on_sale_from=DOCUMENT.on_sale_from,
    on_sale_until=None,
    document=DOCUMENT.canonical(),
)
WITHDRAW = WithdrawProduct(product_code="motor-private", product_version=1, reason="replaced")
WITHDRAWN = ProductWithdrawn(product_code="motor-private", product_version=1, reason="replaced")


def test_a_version_is_published_with_its_whole_document() -> None:
    product.given().when(PublishProduct(document=DOCUMENT)).then(PUBLISHED)


def test_a_published_version_is_never_edited() -> None:
    other = DOCUMENT.model_copy(update={"term_months": 6})
    product.given(PUBLISHED).when(PublishProduct(document=other)).then_refused("product_version_published")


def test_a_change_is_a_new_version() -> None:
    second = DOCUMENT.model_copy(update={"term_months": 6, "version": 2})
    product.given(PUBLISHED).when(PublishProduct(document=second)).then_types(ProductPublished)


def test_a_version_is_withdrawn_once() -> None:
    product.given(PUBLISHED).when(WITHDRAW).then(WITHDRAWN)
    product.given(PUBLISHED, WITHDRAWN).when(WITHDRAW).then_nothing()


def test_only_a_published_version_can_be_withdrawn() -> None:
    product.given().when(WITHDRAW).then_refused("product_version_unknown")


def test_publishing_a_withdrawn_version_again_does_not_bring_it_back() -> None:
    product.given(PUBLISHED, WITHDRAWN).when(PublishProduct(document=DOCUMENT)).then_nothing()
