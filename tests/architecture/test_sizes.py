"""Modules and functions stay small, open with what they are for, and keep SQL where it belongs."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.sources import Source, planted, sources

MODULE_LINES_MAX = 300
TEST_LINES_MAX = 400
FUNCTION_LINES_MAX = 50

_SQL = re.compile(
    r"\bselect\b.+\bfrom\b|\binsert\s+into\s+\w|\bupdate\s+[\w.]+\s+(as\s+\w+\s+|\w+\s+)?set\b|\bdelete\s+from\s+\w"
    r"|^\s*(create|alter|drop|truncate)\s+(table|index|unique|schema|database|role|view)\b",
    re.IGNORECASE | re.DOTALL,
)
_STATEMENT = re.compile(r"^\s*(select|insert|update|delete|with|create|alter|drop|truncate)\b", re.IGNORECASE)
_SQL_PLACES = re.compile(r"services/(kernel/.+|\w+/projections/\w+|\w+/(\w+_)?queries)\.py")


def too_long(source: Source) -> Iterator[str]:
    """Modules and functions above their limit."""
    lines, limit = source.text.count("\n"), TEST_LINES_MAX if source.is_test else MODULE_LINES_MAX
    if lines > limit:
        yield f"{source.path} has {lines} lines; the limit is {limit}"
    for function in source.functions():
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > FUNCTION_LINES_MAX:
            yield f"{source.path}: {function.name} has {length} lines; the limit is {FUNCTION_LINES_MAX}"


def unexplained(source: Source) -> Iterator[str]:
    """Modules that do not open with a sentence. An empty `__init__.py` says nothing and needs none."""
    if not source.text.strip():
        return
    docstring = ast.get_docstring(source.tree)
    if docstring is None:
        yield f"{source.path} does not say what it is for; open it with one sentence"
    elif re.match(r"[A-Z0-9`].*\.$", docstring.splitlines()[0]) is None:
        yield f"{source.path}: the first line of the docstring must be a sentence that ends with a full stop"


def misplaced_sql(source: Source) -> Iterator[str]:
    """SQL statements outside the kernel, the projections and the queries."""
    if _SQL_PLACES.fullmatch(source.path):
        return
    documentation = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documentation:
            continue
        if _STATEMENT.match(node.value) and _SQL.search(node.value):
            yield f"{source.path}:{node.lineno} holds SQL; move it to the kernel, a projection or queries.py"


def test_modules_and_functions_stay_small() -> None:
    assert [fault for source in sources() for fault in too_long(source)] == []


def test_every_module_opens_with_one_sentence() -> None:
    assert [fault for source in sources() for fault in unexplained(source)] == []


def test_sql_stays_in_the_kernel_the_projections_and_the_queries() -> None:
    assert [fault for source in sources("contracts", "services", "infra") for fault in misplaced_sql(source)] == []


def test_a_long_module_is_seen() -> None:
    (fault,) = too_long(planted("x = 1\n" * 301))
    assert "301 lines" in fault
    assert list(too_long(planted("x = 1\n" * 300))) == []


def test_a_test_file_may_be_longer_but_not_endless() -> None:
    assert list(too_long(planted("x = 1\n" * 400, "tests/unit/test_planted.py"))) == []
    (fault,) = too_long(planted("x = 1\n" * 401, "tests/unit/test_planted.py"))
    assert "the limit is 400" in fault


def test_a_long_function_is_seen() -> None:
    (fault,) = too_long(planted("class A:\n    async def wander(self):\n" + "        x = 1\n" * 50))
    assert "wander has 51 lines" in fault


def test_a_module_without_a_sentence_is_seen() -> None:
    assert "does not say" in next(unexplained(planted("x = 1\n")))
    assert "full stop" in next(unexplained(planted('"""Things"""\n')))
    assert list(unexplained(planted('"""Prices an order."""\n'))) == []


def test_sql_in_the_wrong_place_is_seen() -> None:
    statements = (
        "select * from policy_term",
        "\\n with t as (select 1) select * from t",
        "INSERT INTO policy_term values ($1)",
        "update policy_term set line = $1",
        "delete from policy_term",
        "create table policy_term ()",
    )
    for statement in statements:
        for path in ("services/policy/inbound.py", "services/policy/domain/decider.py", "services/cli/lookup.py"):
            (fault,) = misplaced_sql(planted(f'"""Job."""\nQUERY = "{statement}"\n', path))
            assert f"{path}:2 holds SQL" in fault


def test_sql_put_together_from_pieces_is_seen() -> None:
    (fault,) = misplaced_sql(planted('x = f"select name from {table}"\n'))
    assert "holds SQL" in fault


def test_prose_about_selecting_is_not_sql() -> None:
    text = '"""Select a row from a table."""\nx = "select"\ny = "Choose from a list"\nz = "Update the file"\n'
    assert list(misplaced_sql(planted(text))) == []


def test_sql_is_welcome_in_queries() -> None:
    assert list(misplaced_sql(planted('x = "select 1 from t"\n', "services/policy/queries.py"))) == []
