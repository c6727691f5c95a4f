"""The lines of Python in contracts/README.md with which anybody checks a dossier do what is said of them."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.cli.dossier.document import Dossier
from services.kernel.proof.checkpoint import origin_of
from services.kernel.proof.signed_note import create_key
from tests.architecture.sources import ROOT
from tests.support.extracts import START, log_of, signed_extract

CONTRACT = "3GKJKPRNZDSMM3A5"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dossier of two services, and their public keys."""
    made = tmp_path_factory.mktemp("dossier")
    keys = [create_key(made / f"{service}.pem", origin_of(service)) for service in ("quote", "policy")]
    log = log_of([(stream, "policy.issued", {"name": "王小明"}) for stream in ("mine", "other", "mine", "other")])
    parts = tuple(signed_extract(key, CONTRACT, log, ["mine"]) for key in keys)
    (made / "keys").write_text("# keys\n" + "".join(f"{key.public.text}\n" for key in keys))
    (made / "dossier.json").write_text(Dossier(contract_id=CONTRACT, made_at=START, parts=parts).as_json(), "utf-8")
    return made


def _run(folder: Path, file: Path) -> subprocess.CompletedProcess[str]:
    (recipe,) = [
        code
        for code in re.findall(r"```python\n(.+?)```", (ROOT / "contracts/README.md").read_text("utf-8"), re.DOTALL)
        if 'document["parts"]' in code
    ]
    arguments = [str(file), str(folder / "keys")]
    return subprocess.run([sys.executable, "-c", recipe, *arguments], capture_output=True, text=True, check=False)


def test_the_recipe_accepts_what_is_right(folder: Path) -> None:
    done = _run(folder, folder / "dossier.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "quote: 2 events are right, 0 of them not signed yet\npolicy: 2 events are right, 0 of them not signed yet\n"
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda part: part["events"][1].update(data='{"name": "李小明"}'), "policy (3, 3) was altered"),
        (lambda part: part["events"].pop(), "events were left out or added"),
        (lambda part: part["events"].reverse(), "events were left out or added"),
        (lambda part: part["runs"][0]["links"][3].update(data_sha256="00" * 32), "AssertionError"),
        (lambda part: part["runs"][0]["links"][1].update(data_sha256="00" * 32), "does not lead to the checkpoint"),
        (lambda part: part.update(statement=part["statement"].replace("events 2", "events 3")), "InvalidSignature"),
        (lambda part: part.update(service="quote"), "signed by another service"),
    ],
)
def test_the_recipe_names_what_is_wrong(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    document = json.loads((folder / "dossier.json").read_text("utf-8"))
    change(document["parts"][1])
    (tmp_path / "changed.json").write_text(json.dumps(document), "utf-8")
    done = _run(folder, tmp_path / "changed.json")
    assert done.returncode != 0
    assert says in done.stderr, done.stderr
