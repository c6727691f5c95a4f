"""Lines of business differ through product documents and registries, never through branches."""

import ast
import importlib
from collections.abc import Iterator

import pytest

from contracts.topics import ServiceName
from contracts.vocabulary.lines import ProductLine
from tests.architecture.sources import Source, planted, sources

REGISTRY = "RULES_BY_LINE"
_LINES = frozenset(line.value for line in ProductLine)
# The demo plays channels, and a channel sells one line or another.
_CHANNEL_SIDE = "services/demo/"
_SERVICES = tuple(f"services/{service}/" for service in ServiceName)


def registries() -> list[str]:
    """Modules that define a registry of rules by line."""
    return [
        source.path.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
        for source in sources("services")
        if any(_assigns(node, REGISTRY) for node in source.tree.body)
    ]


def branches(source: Source) -> Iterator[str]:
    """Comparisons and patterns that single out a line of business."""
    if source.path.startswith(_CHANNEL_SIDE):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Compare):
            if _singles_out([node.left, *node.comparators], in_service=source.path.startswith(_SERVICES)):
                yield f"{source.path}:{node.lineno} branches on a product line; put the difference into {REGISTRY}"
        elif isinstance(node, ast.MatchValue) and _is_member(node.value):
            yield f"{source.path}:{node.lineno} matches a product line; put the difference into {REGISTRY}"


def _singles_out(operands: list[ast.expr], *, in_service: bool) -> bool:
    if any(_is_member(part) for operand in operands for part in ast.walk(operand) if isinstance(part, ast.expr)):
        return True
    # Two messages may be compared by their lines (an order and its product): that singles out none.
    named = [_is_line(operand) for operand in operands]
    literal = [operand for operand, is_line in zip(operands, named, strict=True) if not is_line]
    return in_service and any(named) and any(_mentions_line(operand) for operand in literal)


def _is_member(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ProductLine"


def _is_line(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name == "line" or name.endswith("_line")


def _mentions_line(node: ast.expr) -> bool:
    """A line by value, or a constant that may stand for one."""
    return any(
        (isinstance(part, ast.Constant) and part.value in _LINES)
        or (isinstance(part, ast.Name) and part.id.isupper() and "LINE" in part.id)
        for part in ast.walk(node)
    )


def _assigns(node: ast.stmt, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def test_quote_has_its_rules_by_line() -> None:
    assert "services.quote.domain.products" in registries()


@pytest.mark.parametrize("module", registries())
def test_a_registry_has_every_line_and_no_other(module: str) -> None:
    assert set(getattr(importlib.import_module(module), REGISTRY)) == set(ProductLine)


def test_no_service_branches_on_a_line() -> None:
    assert [fault for source in sources("services") for fault in branches(source)] == []


@pytest.mark.parametrize(
    "text",
    [
        "if product.line == ProductLine.MOTOR: ...",
        "if ProductLine.HEALTH is line: ...",
        "x = 1 if line in (ProductLine.MOTOR,) else 2",
        'if risk.line == "motor": ...',
        'if "health" != terms.line: ...',
        'while product_line in {"motor", "health"}: ...',
        "if order.line == MOTOR_LINE: ...",
        "match line:\n    case ProductLine.MOTOR: ...",
    ],
)
def test_a_branch_on_a_line_is_seen(text: str) -> None:
    assert len(list(branches(planted(text)))) == 1


def test_two_lines_may_be_compared() -> None:
    assert list(branches(planted("if order.line != product.line: ..."))) == []


def test_a_line_of_text_is_no_line_of_business() -> None:
    assert list(branches(planted('if line == "": ...', "services/intake/rows.py"))) == []
