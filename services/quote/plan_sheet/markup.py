"""The few pieces of HTML that a plan sheet is made of; every text is escaped where it enters."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TypeAlias

_STYLE = (Path(__file__).parent / "sheet.css").read_text("utf-8")


Told: TypeAlias = str | tuple[str, ...]
"""A text, or several, each on a line of its own."""

_FIGURE = re.compile(r"[0-9][0-9,.]*( ?(‰|%|[A-Z]{3}))?|\u2013")


def page(language: str, title: str, body: Iterable[str]) -> str:
    """A whole document with its style inside; `body` is HTML."""
    head = f'<meta charset="utf-8"/><title>{escape(title)}</title><style>{_STYLE}</style>'
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    inside = "\n".join(body)
    return f'<!DOCTYPE html>\n<html lang="{language}"><head>{head}{viewport}</head>\n<body>\n{inside}\n</body></html>\n'


def section(heading: str, *parts: str) -> str:
    """A section; `parts` are HTML."""
    return f"<section><h2>{escape(heading)}</h2>\n" + "\n".join(parts) + "</section>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<p{attribute}>{escape(text)}</p>"


def heading(text: str) -> str:
    """The one main heading of a page."""
    return f"<h1>{escape(text)}</h1>"


def subheading(text: str) -> str:
    """A heading inside a section."""
    return f"<h3>{escape(text)}</h3>"


def listing(items: Iterable[str]) -> str:
    """Sentences one under the other."""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def facts(pairs: Iterable[tuple[str, Told]]) -> str:
    """Names with their values."""
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{_lines(value)}</dd></div>" for name, value in pairs)
    return f"<dl>{rows}</dl>"


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Told]]) -> str:
    """A table; columns whose cells are figures, with or without a unit, are aligned right."""
    listed = [list(row) for row in rows]
    numeric = [all(_is_figure(row[place]) for row in listed) for place in range(len(columns))]
    head = "".join(_cell("th", name, number) for name, number in zip(columns, numeric, strict=True))
    body = "".join(
        "<tr>" + "".join(_cell("td", cell, number) for cell, number in zip(row, numeric, strict=True)) + "</tr>"
        for row in listed
    )
    titled = f"<caption>{escape(caption)}</caption>" if caption else ""
    inside = f"<table>{titled}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{inside}</div>'


def beside(parts: Iterable[str]) -> str:
    """Pieces next to each other where there is room."""
    return '<div class="beside">' + "".join(parts) + "</div>"


def _cell(tag: str, told: Told, number: bool) -> str:
    attribute = ' class="number"' if number else ""
    return f"<{tag}{attribute}>{_lines(told)}</{tag}>"


def _lines(told: Told) -> str:
    return escape(told) if isinstance(told, str) else "<br/>".join(map(escape, told))


def _is_figure(told: Told) -> bool:
    return isinstance(told, str) and _FIGURE.fullmatch(told) is not None
