"""The containers get what the local stack gives its services: settings, a signing key, a folder for checkpoints."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.topics import ServiceName
from services.cli.keys import checkpoints_folder, ensure_keys, key_path
from services.kernel.proof.checkpoint import origin_of
from services.kernel.proof.signed_note import load_key
from services.kernel.settings import ServiceSettings

INFRA = Path(__file__).resolve().parents[3] / "infra"
DATA = Path("/var/lib/ledger")
COMPOSE: dict[str, Any] = yaml.safe_load((INFRA / "compose.yaml").read_text())
PREPARE = COMPOSE["services"]["prepare"]


def _mounts(container: dict[str, Any]) -> dict[Path, tuple[str, bool]]:
    """The volume at each folder, and whether it may be written there."""
    found = {}
    for mount in container["volumes"]:
        volume, target, *options = mount.split(":")
        found[Path(target)] = volume, "ro" not in options
    return found


@pytest.mark.parametrize("service", ServiceName)
def test_a_service_signs_with_a_key_of_its_own_into_a_folder_that_stays(service: ServiceName) -> None:
    container = COMPOSE["services"][service]
    given = {name.removeprefix("LEDGER_").lower(): value for name, value in container["environment"].items()}
    assert set(given) <= set(ServiceSettings.model_fields)
    settings = ServiceSettings.model_validate(given)
    assert settings.signing_key == key_path(DATA, service)
    assert settings.checkpoints_folder == checkpoints_folder(DATA)
    mounts = _mounts(container)
    assert mounts[settings.signing_key.parent] == ("keys", False)
    assert mounts[settings.checkpoints_folder] == ("checkpoints", True)
    assert {volume for volume, _ in mounts.values()} <= set(COMPOSE["volumes"])


def test_the_keys_are_made_before_any_service_starts(tmp_path: Path) -> None:
    program = ast.parse(PREPARE["command"][0])
    calls = [node for node in ast.walk(program) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    (made,) = [call for call in calls if call.func.id == "ensure_keys"]  # type: ignore[attr-defined]
    assert ast.unparse(made.args[0]) == f"Path('{DATA}')"
    assert _mounts(PREPARE)[DATA / "keys"] == ("keys", True)
    for service in ServiceName:
        assert COMPOSE["services"][service]["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}
    ensure_keys(tmp_path)
    for service in ServiceName:
        # The names that the services are given are those that it makes, and their mode is the one that is asked for.
        key = load_key(tmp_path / key_path(DATA, service).relative_to(DATA), origin_of(service))
        assert key.public.text in (tmp_path / "keys" / "public-keys").read_text()


def test_the_image_has_the_folders_that_its_user_may_write() -> None:
    (made,) = [line for line in (INFRA / "Dockerfile").read_text().splitlines() if line.startswith("RUN install -d")]
    assert "-o ledger -m 700" in made
    assert set(map(str, _mounts(PREPARE))) <= set(made.split())
    assert "USER ledger" in (INFRA / "Dockerfile").read_text().splitlines()
