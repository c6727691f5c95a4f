"""Plan sheets: what a buyer reads, in both languages, and what a buyer does not."""

from xml.etree import ElementTree as ET

import pytest

from services.quote.domain.products.document import ProductDocument, TariffPricing
from services.quote.domain.products.launch import Coinsured, Coinsurer, Wording
from services.quote.domain.products.life import Life, SaleWindow
from services.quote.domain.products.rate_table import RateTable, TableColumn
from services.quote.plan_sheet import Language, plan_sheet
from services.quote.product_files import shipped_products

PRODUCTS = {document.code: document for document in shipped_products()}
HEALTH, MOTOR = PRODUCTS["health-basic"], PRODUCTS["motor-private"]


def read(document: ProductDocument, language: Language) -> list[str]:
    """The texts of a sheet in their order. A sheet is also well-formed XML, and needs nothing from elsewhere."""
    root = ET.fromstring(plan_sheet(document, language))  # noqa: S314  our own page
    assert not any(name in element.attrib for element in root.iter() for name in ("src", "href"))
    body = root.find("body")
    assert body is not None
    return [text.strip() for text in body.itertext() if text.strip()]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("code", sorted(PRODUCTS))
def test_every_shipped_product_has_a_sheet_that_names_all_of_its_coverages(code: str, language: Language) -> None:
    document = PRODUCTS[code]
    texts = read(document, language)
    for title in (document.title, *(coverage.title for coverage in document.coverages)):
        assert getattr(title, language.value) in texts


def test_a_sheet_tells_sums_rates_and_conditions() -> None:
    texts = read(HEALTH, Language.ENGLISH)
    assert "100,000 CNY / 200,000 CNY / 500,000 CNY" in texts
    # 2.65 per mille of 100,000 yuan.
    place = texts.index("31 to 40")
    assert texts[place : place + 3] == ["31 to 40", "2.65 ‰", "265 CNY"]
    assert texts[texts.index("Accepted") :][1:3] == ["Age", "0 to 65"]
    assert "Cover starts only once the first payment has arrived." in texts
    assert "首期保险费到账后，保险合同方可生效。" in read(HEALTH, Language.CHINESE)  # noqa: RUF001


@pytest.mark.parametrize("language", Language)
def test_no_word_is_left_without_a_translation(language: Language) -> None:
    words = {text for document in PRODUCTS.values() for text in read(document, language)}
    assert not any("_" in word or "{" in word for word in words)


def test_how_the_premium_is_shared_out_is_not_told() -> None:
    odd = HEALTH.split.model_copy(update={"insurer_bp": 6_991, "commission_bp": 1_809})
    page = plan_sheet(HEALTH.model_copy(update={"split": odd}), Language.ENGLISH)
    assert not any(figure in page for figure in ("6991", "69.91", "1809", "18.09", "ommission"))


def test_insurers_and_wording_are_told_and_the_issuance_fee_is_not() -> None:
    coinsured = Coinsured(
        leader=Coinsurer(insurer="Alpha", share_bp=6_250),
        followers=(Coinsurer(insurer="Beta", share_bp=3_750),),
        issuance_fee_bp=177,
    )
    wording = Wording(version="2026-A", filing_number="C123", content_sha256="0f" * 32)
    texts = read(MOTOR.model_copy(update={"coinsurance": coinsured, "wording": wording}), Language.ENGLISH)
    place = texts.index("Alpha")
    assert texts[place : place + 6] == [
        "Alpha", "62.50 %", "leads and deals with you", "Beta", "37.50 %", "carries its share",
    ]  # fmt: skip
    assert "C123" in texts
    assert not any("1.77" in text or "177" in text for text in texts if "SHA" not in text)


def test_texts_of_a_document_are_no_markup() -> None:
    title = MOTOR.title.model_copy(update={"en": "<script>alert(1)</script> & more"})
    page = plan_sheet(MOTOR.model_copy(update={"title": title}), Language.ENGLISH)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page


def test_a_rate_without_a_fixed_sum_or_without_bands_is_told_as_far_as_it_goes() -> None:
    pricing = HEALTH.pricing
    assert isinstance(pricing, TariffPricing)
    inpatient, outpatient, accident = HEALTH.coverages
    open_sum = inpatient.model_copy(update={"sums_insured_minor": ()})
    tabled = pricing.tariff.rates["Accident"].model_copy(update={"bands": (), "table": "long", "fact": None})
    rows = tuple((str(age), "1.5") for age in range(61))
    tables = {"long": RateTable(columns=(TableColumn(fact="age", match="band"),), rows=rows)}
    rates = {**pricing.tariff.rates, "Accident": tabled}
    tariff = pricing.tariff.model_copy(update={"rates": rates, "tables": tables})
    changes = {"pricing": pricing.model_copy(update={"tariff": tariff}), "coverages": (open_sum, outpatient, accident)}
    texts = read(HEALTH.model_copy(update=changes), Language.ENGLISH)
    place = texts.index("31 to 40")
    assert texts[place : place + 3] == ["31 to 40", "2.65 ‰", "41 to 50"]
    assert texts[texts.index("as scheduled, 61 rows") - 2 :][:2] == ["Accident", "Rate a year"]


def test_days_of_sale_that_were_moved_are_told_as_they_are_now() -> None:
    sale = SaleWindow(MOTOR.on_sale_from.replace(year=2030), MOTOR.on_sale_from.replace(year=2031))
    assert "2030-01-01 to 2031-01-01" in plan_sheet(MOTOR, Language.ENGLISH, Life(sale=sale))
