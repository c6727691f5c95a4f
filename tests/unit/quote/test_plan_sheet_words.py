"""Nothing that a product document can say lacks words on the plan sheet, in either language."""

# ruff: noqa: RUF001

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from contracts.vocabulary.persons import Relation
from services.quote.domain.products import RULES_BY_LINE
from services.quote.domain.products.conditions import Condition
from services.quote.domain.products.document import ProductDocument, TariffPricing
from services.quote.domain.products.effect import Effect
from services.quote.domain.products.life import Life
from services.quote.domain.products.outlets import Outlet, OutletMove, OutletStep
from services.quote.domain.products.rating.plan import ORDER_FACTS
from services.quote.domain.products.reading import read_document
from services.quote.domain.products.tariff import RatingFactor
from services.quote.domain.products.underwriting import RuleOutcome
from services.quote.domain.products.underwriting_misfits import APPLICATION_FACTS, COVERAGE_FACTS
from services.quote.plan_sheet import Language, plan_sheet
from services.quote.plan_sheet.rules import condition
from services.quote.plan_sheet.words import Wordbook, lacks_words
from services.quote.product_files import shipped_products

PRODUCTS = {document.code: document for document in shipped_products()}
HEALTH = PRODUCTS["health-plus"]


def unions(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models inside an annotated union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from unions(inner)


def kinds_of(factors: Any) -> set[str]:
    return {kind for model in unions(factors) for kind in get_args(model.model_fields["kind"].annotation)}


FACTS = {fact for rules in RULES_BY_LINE.values() for fact in rules.facts} | {
    *APPLICATION_FACTS,
    *COVERAGE_FACTS,
    *ORDER_FACTS,
}
VALUES = {value for rules in RULES_BY_LINE.values() for fact in rules.facts.values() for value in fact.values}
OPERATORS = {"not" if name == "negated" else name for name in Condition.model_fields if name != "fact"} | {
    "not_told",
    "always",
}


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("facts", FACTS),
        ("values", VALUES | set(get_args(Relation))),
        ("comparisons", OPERATORS),
        ("outcomes", set(get_args(RuleOutcome))),
        ("kinds", kinds_of(RatingFactor)),
        ("classes", {coverage.class_of_business for one in PRODUCTS.values() for coverage in one.coverages}),
    ],
)
def test_nothing_of_the_document_language_lacks_words(group: str, names: set[str]) -> None:
    assert names
    assert {name for name in names if lacks_words(group, name)} == set()


def enumerations(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[tuple[str, str]]:
    """Every literal that a document part can be, with the name of its field."""
    if model in seen:
        return
    seen.add(model)
    for name, field in model.model_fields.items():
        for inner in unions(field.annotation):
            yield from enumerations(inner, seen)
        yield from ((name, value) for value in literals(field.annotation))


def literals(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (value for value in get_args(annotation) if isinstance(value, str))
    for inner in get_args(annotation):
        yield from literals(inner)


WORD_OF = {
    "sum_insured_for": "for_{}",
    "asked_of": "asked_{}",
    "per": "deductible_{}",
    "waiting_causes": "waiting_{}",
    "price_differences": "price_{}",
    "path": "path_{}",
    "settlement": "{}",
}


def test_every_choice_of_a_document_part_has_words() -> None:
    book = Wordbook(Language.CHINESE, HEALTH)
    told = 0
    for name, value in enumerations(ProductDocument, set()):
        if name in WORD_OF:
            assert book.say(WORD_OF[name].format(value), "1")
            told += 1
    assert told >= 10


CHAPTERS = {
    "code", "version", "title", "line", "currency", "on_sale_from", "on_sale_until", "channels", "regions",
    "term_months",
    "settlement", "frequencies", "split", "coverages", "pricing", "underwriting", "referrals", "plan", "disclosures",
    "group", "vehicle", "coinsurance", "wording", "requirement", "straight_through_claim_minor", "pay_within_days",
}  # fmt: skip


def test_every_part_of_a_document_has_its_chapter() -> None:
    # A new part needs a place on the sheet, or a reason to be left out: `book` only says who gives out numbers.
    assert set(ProductDocument.model_fields) - CHAPTERS == {"book"}


@pytest.mark.parametrize("language", Language)
def test_a_condition_is_a_sentence(language: Language) -> None:
    told = Condition.model_validate(
        {
            "all": [
                {"fact": "age", "at_least": 18, "at_most": 60},
                {
                    "any": [
                        {"fact": "smoker", "equals": "yes"},
                        {"not": {"fact": "relation", "one_of": ["self", "child"]}},
                    ]
                },
                {"fact": "customer.sum_insured_minor.Accident", "at_least": 100_000_00},
                {"fact": "disclosure_medication", "told": False},
            ]
        }
    )
    english = (
        "Age is 18 or more and Age is 60 or less and (Smoker is yes or not (Relation is one of the policyholder, "
        "child)) and The customer's sum insured in all (Accident) is 100,000 CNY or more and "
        "\u201cDo you take medicine that a doctor has prescribed for longer than a month?\u201d is not told"
    )
    chinese = (
        "年龄不小于18，且年龄不大于60，且（吸烟为是，或非（与投保人关系为本人、子女之一））"
        "，且客户累计保额 (意外伤害)不小于100,000 CNY，且未告知"
        "\u201c您是否正在服用医生开具的、疗程超过一个月的药物？\u201d"
    )
    expected = {Language.ENGLISH: english, Language.CHINESE: chinese}
    assert condition(told, Wordbook(language, HEALTH)) == expected[language]


RULES = [
    {"code": "old", "when": {"fact": "age", "at_least": 56}, "outcome": "load", "percent": "25",
     "coverages": ["Hospital"]},
    {"code": "ill", "when": {"fact": "disclosure_medication", "equals": "yes"}, "outcome": "exclude",
     "coverages": ["Accident"]},
    {"code": "stay", "when": {"fact": "age", "at_most": 1}, "outcome": "refer"},
]  # fmt: skip


def deep(**changes: Any) -> ProductDocument:
    """Health plus with rules, a short-term scale and what else it leaves out."""
    content = HEALTH.model_dump(mode="json", by_alias=True)
    reason = {"en": "because of this", "zh": "原因说明"}
    content["underwriting"] += [{**rule, "reason": reason} for rule in RULES]
    content["pricing"]["tariff"] |= {
        "short_period": {
            "method": "months-begun",
            "percents": [str(10 * month) for month in range(1, 11)] + ["100", "100"],
        },
        "loadings": [{"name": "Ski", "percent": "5"}],
        "discounts": [{"kind": "family", "name": "Family", "steps": [{"at_least": 3, "percent": "7"}]}],
        "minimum": {"per_order_minor": 12_300},
        "tax": {"name": "VAT", "percent": "6"},
    }
    return read_document(content | changes)


def texts(page: str) -> list[str]:
    """All texts of a page; every element is closed, and nothing comes from elsewhere."""
    found, opened = [], []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert not {name for name, _ in attrs} & {"src", "href", "srcset"}
            opened.append(tag)

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in ("meta", "br")

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

        def take(self, data: str) -> None:
            if data.strip() and opened[-1] != "style":
                found.append(data.strip())

        handle_data = take

    Reader().feed(page)
    assert opened == []
    assert not any(word in page for word in ("url(", "@import", "<script", "<link"))
    return found


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("staff", [False, True])
def test_no_chapter_is_empty_and_no_cell_is_a_name_of_the_program(language: Language, staff: bool) -> None:
    for document in (*PRODUCTS.values(), deep()):
        page = plan_sheet(document, language, for_staff=staff)
        told = texts(page)
        assert not any("_" in text or "{" in text or "None" in text for text in told), told
        assert not any(
            f"{empty}</{tag}>" in page for tag, empty in (("tbody", "<tbody>"), ("dl", "<dl>"), ("ul", "<ul>"))
        )


def test_limits_waiting_rules_and_prices_are_told() -> None:
    told = texts(plan_sheet(deep(), Language.ENGLISH))
    for text in (
        "8,000,000 CNY ever",
        "10,000 CNY a year",
        "80 %, where social insurance has paid its part, at most 8,000 CNY a year",
        "180 days, for all causes",
        "your choice, only together with Cancer, second sum",
        "50,000 CNY to 500,000 CNY, in steps of 10,000 CNY",
        "Cosmetic surgery and weight reduction",
        "Tonics and food supplements",
        "Not together: Cancer, second sum, Critical illness",
        "Have you ever had cancer, a stroke, a heart attack, or failure of kidney or liver?",
        "Age is 56 or more",
        "accepted for more: 25 % on Hospital treatment",
        "accepted without Accident",
        "decided by an underwriter",
        "because of this",
        "added: 5 %",
        "from 3 insured persons on: 7 % off",
        "123 CNY",
        "VAT, 6 %",
    ):
        assert text in told, text
    assert told[told.index("Part of the yearly premium") :][1:4] == ["10 %", "20 %", "30 %"]


def test_a_table_is_told_with_ranges_amounts_and_words() -> None:
    columns = [
        {"fact": "sum_insured_minor", "match": "band"},
        {"fact": "age", "match": "band"},
        {"fact": "smoker", "match": "value"},
    ]
    rows = [["0-10000000", "*", "yes", "1.2"], ["0-10000000", "*", "no", "1"], ["10000001+", "*", "*", "0.9"]]
    content = HEALTH.model_dump(mode="json", by_alias=True)
    content["pricing"]["tariff"] |= {
        "tables": {"size": {"columns": columns, "rows": rows}},
        "factors": [{"kind": "table", "name": "size", "table": "size"}],
    }
    told = texts(plan_sheet(read_document(content), Language.ENGLISH))
    assert told[told.index("0 CNY to 100,000 CNY, any, yes") :][:2] == ["0 CNY to 100,000 CNY, any, yes", "1.2"]
    assert "from 100,000.01 CNY, any, any" in told


def test_a_group_is_told_with_its_classes() -> None:
    told = texts(plan_sheet(PRODUCTS["group-medical"], Language.CHINESE))
    place = told.index("A 管理层")
    assert told[place : place + 5] == ["A 管理层", "B 员工", "C 家属", "住院医疗", "300,000 CNY"]
    assert "最低参保人数5人" in told
    assert "除员工本人外，可投保：配偶、子女" in told


def test_what_ended_and_who_else_sells_is_told() -> None:
    steps = (
        OutletStep(Outlet(channel="lake"), OutletMove.OPEN, Effect(HEALTH.on_sale_from.replace(year=2030))),
        OutletStep(Outlet(region="CN-11"), OutletMove.WITHDRAW, Effect()),
    )
    told = texts(plan_sheet(HEALTH, Language.ENGLISH, Life(outlets=steps, closed=Effect(HEALTH.on_sale_from))))
    assert {"lake: on sale from 2030-01-01", "CN-11: withdrawn now", "closed to new business from 2024-01-01"} < set(
        told
    )


def test_only_the_staff_s_sheet_tells_the_shares() -> None:
    split = HEALTH.split.model_copy(update={"insurer_bp": 6_991, "commission_bp": 1_809})
    document = HEALTH.model_copy(update={"split": split})
    assert isinstance(document.pricing, TariffPricing)
    assert "69.91 %" in texts(plan_sheet(document, Language.CHINESE, for_staff=True))
    assert "69.91" not in plan_sheet(document, Language.CHINESE)
