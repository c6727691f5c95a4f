"""Makes HTML out of values: everything is escaped unless it is markup already."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_MOMENT = re.compile(r"[-0-9]{10} [:0-9]{8} UTC")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = Any
"""A Markup, a text, a number, None (nothing), or a list of these."""


def element(name: str, *children: Content, **attributes: str) -> Markup:
    """An element; an attribute `class_` is written `class`."""
    written = "".join(f' {key.rstrip("_")}="{html.escape(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{written}>{inner(children)}</{name}>")


def inner(children: Content) -> Markup:
    """Children one after the other."""
    if children is None:
        return Markup("")
    if isinstance(children, Markup):
        return children
    if isinstance(children, list | tuple):
        return Markup("".join(map(inner, children)))
    return Markup(html.escape(str(children)))


def term(english: str, chinese: str) -> Markup:
    """A word of the trade in both languages."""
    return inner([english, " ", element("span", chinese, lang="zh", class_="zh")])


def section(title: Content, *children: Content, level: int = 2) -> Markup:
    """A titled part of the page."""
    return element("section", element(f"h{level}", title), *children)


def facts(rows: Iterable[tuple[Content, Content]]) -> Markup:
    """Names and values, one a line; a value of None is left out."""
    lines = [
        element("tr", element("th", name, scope="row"), element("td", value))
        for name, value in rows
        if value not in (None, "")
    ]
    return element("table", *lines, class_="facts")


def grid(columns: Sequence[Content], rows: Sequence[Sequence[Content]], numbers: Sequence[int] = ()) -> Markup:
    """A table with a heading; columns in `numbers` are aligned right. Nothing at all without rows."""
    if not rows:
        return Markup("")

    def cells(kind: str, row: Sequence[Content]) -> list[Markup]:
        return [_cell(kind, cell, number=place in numbers) for place, cell in enumerate(row)]

    head = element("thead", element("tr", cells("th", columns)))
    return element("table", head, element("tbody", [element("tr", cells("td", row)) for row in rows]), class_="grid")


def _cell(kind: str, cell: Content, *, number: bool) -> Markup:
    if number:
        return element(kind, cell, class_="number")
    if isinstance(cell, str) and _MOMENT.fullmatch(cell):
        return element(kind, cell, class_="moment")
    return element(kind, cell)


def nested(value: Any) -> Markup:
    """Any JSON as tables of names and values, for people who read no JSON."""
    if isinstance(value, Mapping):
        shown = {name: child for name, child in value.items() if child not in (None, [], {})}
        return facts((words(name), nested(child)) for name, child in shown.items())
    if isinstance(value, list):
        if value and all(_flat(child) for child in value):
            columns = list(dict.fromkeys(name for child in value for name in child))
            rows = [[nested(child.get(name)) for name in columns] for child in value]
            return grid([words(name) for name in columns], rows)
        if all(not isinstance(child, list | Mapping) for child in value):
            return inner(", ".join(map(str, value)))
        return element("ol", [element("li", nested(child)) for child in value])
    if isinstance(value, bool):
        return inner("yes" if value else "no")
    return inner(value)


def _flat(value: Any) -> bool:
    return isinstance(value, Mapping) and not any(isinstance(child, list | Mapping) for child in value.values())


def words(name: str) -> str:
    """A field's name as words."""
    return name.replace("_", " ")
