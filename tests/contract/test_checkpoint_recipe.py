"""The lines of Python in contracts/README.md with which anybody checks signed checkpoints do what is said of them."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.kernel.proof.checkpoint_file import append
from tests.architecture.sources import ROOT
from tests.support.checkpoints import SERVICE, checkpoint_after, new_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Four checkpoints, the third of which hands over to another key; beside them the public keys."""
    old, new = new_key(tmp_path), new_key(tmp_path, "new")
    made = tmp_path / "checkpoints"
    (tmp_path / "public-keys").write_text(f"# keys\n{old.public.text}\n{new.public.text}\n")
    append(made, SERVICE, lambda: [old], lambda before: checkpoint_after(before, 0, 0))
    append(made, SERVICE, lambda: [old], lambda before: checkpoint_after(before, 3, 0))
    append(made, SERVICE, lambda: [old, new], lambda before: checkpoint_after(before, 3, 0, next_key=new.public))
    append(made, SERVICE, lambda: [new], lambda before: checkpoint_after(before, 5, 1))
    return made


def _run(path: Path) -> subprocess.CompletedProcess[str]:
    (recipe,) = [
        code
        for code in re.findall(r"```python\n(.+?)```", (ROOT / "contracts/README.md").read_text("utf-8"), re.DOTALL)
        if "checkpoints are right" in code
    ]
    arguments = [str(path), str(path.with_name("public-keys"))]
    return subprocess.run([sys.executable, "-c", recipe, *arguments], capture_output=True, text=True, check=False)


def test_the_recipe_accepts_what_is_right(path: Path) -> None:
    done = _run(path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("4 checkpoints are right; the last heads are {'0': (5, ")


def test_the_recipe_leaves_out_what_is_unfinished(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])
    assert _run(path).stdout.startswith("3 checkpoints are right")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("head 0 3 ", "head 0 4 "), "InvalidSignature"),
        (lambda text: "\n\n".join(text.split("\n\n")[2:]), "chain of checkpoints is broken"),
        (lambda text: text.replace("policy-ledger", "other-ledger"), "KeyError"),
    ],
)
def test_the_recipe_refuses_what_was_altered(path: Path, change: Callable[[str], str], says: str) -> None:
    path.write_text(change(path.read_text()))
    done = _run(path)
    assert done.returncode != 0
    assert says in done.stderr
