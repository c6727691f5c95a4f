"""The words of a plan sheet in both languages, and how amounts, bands and facts are told in them."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import yaml

from contracts.vocabulary.money import format_minor
from services.quote.domain.products.part import Title


class Language(StrEnum):
    """The languages of product titles."""

    ENGLISH = "en"
    CHINESE = "zh"


_WORDS: Mapping[str, Mapping[str, str]] = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text("utf-8"))


class Wordbook:
    """One language: looks words up and tells numbers."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, word: str, *values: object) -> str:
        """The words for a key; a key without words, such as a new fact's name, is told as it is, readably."""
        found = _WORDS.get(word)
        return word.replace("_", " ") if found is None else found[self.language].format(*values)

    def title(self, title: Title) -> str:
        """A title in this language."""
        return title.en if self.language is Language.ENGLISH else title.zh

    def money(self, amount_minor: int, currency: str) -> str:
        """An amount with its currency; whole amounts without decimals."""
        return f"{format_minor(amount_minor, currency).removesuffix('.00')} {currency}"

    def span(self, low: object | None, high: object | None) -> str:
        """A range, both ends included, of which either may be open."""
        if low == high:
            return str(low)
        if low is None:
            return self.say("at_most", high)
        return self.say("at_least", low) if high is None else self.say("between", low, high)

    def percent(self, basis_points: int) -> str:
        """Basis points as a percentage."""
        whole, part = divmod(basis_points, 100)
        return f"{whole}.{part:02d} %" if part else f"{whole} %"
