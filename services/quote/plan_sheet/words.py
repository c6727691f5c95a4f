"""The words of a plan sheet in both languages, and how amounts, bands and facts are told in them."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from contracts.vocabulary.money import format_minor
from services.quote.domain.products.disclosures import FACT_PREFIX
from services.quote.domain.products.document import ProductDocument
from services.quote.domain.products.part import Title, Wording


class Language(StrEnum):
    """The languages of product titles."""

    ENGLISH = "en"
    CHINESE = "zh"


def _read(name: str) -> Any:
    return yaml.safe_load((Path(__file__).parent / name).read_text("utf-8"))


_WORDS: Mapping[str, Mapping[str, str]] = _read("words.yaml")
_FACTS: Mapping[str, Mapping[str, Mapping[str, str]]] = _read("facts.yaml")


def lacks_words(group: str, name: str) -> bool:
    """Whether a name of `facts.yaml`, such as a fact's, has no words in one of the languages."""
    found = _FACTS[group].get(name, {})
    return any(not found.get(language) for language in Language)


class Wordbook:
    """One language and one document: looks words up, tells numbers, and knows the document's own names."""

    def __init__(self, language: Language, document: ProductDocument) -> None:
        self.language = language
        self.document = document
        self._titles = {coverage.code: coverage.title for coverage in document.coverages}
        self._questions = {FACT_PREFIX + question.code: question.text for question in document.disclosures}
        self._classes = {} if document.group is None else {one.code: one.title for one in document.group.classes}

    def say(self, word: str, *values: object) -> str:
        """The words for a key. Raises KeyError for one without words."""
        return _WORDS[word][self.language].format(*values)

    def of(self, group: str, name: str, *values: object) -> str:
        """The words of `facts.yaml` for a comparison, outcome or factor kind."""
        return _FACTS[group][name][self.language].format(*values)

    def title(self, title: Title | Wording) -> str:
        """A title or text in this language."""
        return title.en if self.language is Language.ENGLISH else title.zh

    def line(self) -> str:
        """The line of business; one that nobody gave words to by its own name."""
        name = str(self.document.line)
        return self.say(name) if name in _WORDS else name.replace("-", " ")

    def coverage(self, code: str) -> str:
        """A coverage's title."""
        return self.title(self._titles[code])

    def coverages(self, codes: Iterable[str]) -> str:
        """Titles of coverages, all where none is named."""
        return self.say("and").join(map(self.coverage, codes)) or self.say("all")

    def fact(self, name: str) -> str:
        """A fact, a question of the document, or a figure about one of its coverages."""
        if name in self._questions:
            return self.say("quoted_words", self.title(self._questions[name]))
        stem, _, code = name.rpartition(".")
        if code in self._titles and stem:
            return f"{self.fact(stem)} ({self.coverage(code)})"
        return self.known("facts", name)

    def known(self, group: str, name: str) -> str:
        """The words of `facts.yaml`; what a document may name freely and nobody gave words to is told as it is."""
        return self.of(group, name) if name in _FACTS[group] else name.replace("_", " ")

    def value(self, fact: str, value: object) -> str:
        """What a fact can be: amounts with their currency, categories in words, and free text as it is."""
        if isinstance(value, int):
            return self.money(value) if "_minor" in fact else str(value)
        text = str(value)
        if text in self._classes:
            return f"{text} {self.title(self._classes[text])}"
        if fact in ("order.frequency", "frequency"):
            return self.say(text)
        return self.of("values", text) if text in _FACTS["values"] else text

    def relations(self, relations: Iterable[str]) -> str:
        """What persons are to the policyholder; in a group, to the employee."""
        group = self.document.group is not None
        named = ("employee" if group and relation == "self" else relation for relation in relations)
        return self.say("and").join(self.of("values", relation) for relation in named)

    def money(self, amount_minor: int) -> str:
        """An amount with its currency; whole amounts without decimals."""
        currency = self.document.currency
        return f"{format_minor(amount_minor, currency).removesuffix('.00')} {currency}"

    def span(self, low: object | None, high: object | None) -> str:
        """A range, both ends included, of which either may be open."""
        if low == high:
            return str(low)
        if low is None:
            return self.say("at_most", high)
        return self.say("at_least", low) if high is None else self.say("between", low, high)

    def band(self, fact: str, low: int | None, high: int | None) -> str:
        """A range of a fact: amounts with their currency, other numbers as they are."""
        return self.span(*(None if limit is None else self.value(fact, limit) for limit in (low, high)))

    def percent(self, basis_points: int) -> str:
        """Basis points as a percentage."""
        whole, part = divmod(basis_points, 100)
        return f"{whole}.{part:02d} %" if part else f"{whole} %"
