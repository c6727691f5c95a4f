"""The few pieces of HTML that a plan sheet is made of; every text is escaped where it enters."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

_STYLE = (Path(__file__).parent / "sheet.css").read_text("utf-8")


_FIGURE = re.compile(r"[0-9][0-9,.]*( ?(‰|%|[A-Z]{3}))?")


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


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names with their values."""
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f"<dl>{rows}</dl>"


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; columns whose cells are figures, with or without a unit, are aligned right."""
    listed = [list(row) for row in rows]
    numeric = [all(_FIGURE.fullmatch(row[place]) for row in listed) for place in range(len(columns))]
    head = "".join(_cell("th", name, number) for name, number in zip(columns, numeric, strict=True))
    body = "".join(
        "<tr>" + "".join(_cell("td", cell, number) for cell, number in zip(row, numeric, strict=True)) + "</tr>"
        for row in listed
    )
    titled = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{titled}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def beside(parts: Iterable[str]) -> str:
    """Pieces next to each other where there is room."""
    return '<div class="beside">' + "".join(parts) + "</div>"


def _cell(tag: str, text: str, number: bool) -> str:
    attribute = ' class="number"' if number else ""
    return f"<{tag}{attribute}>{escape(text)}</{tag}>"
