"""Which servers are chosen, and where data is kept."""

from pathlib import Path

import pytest

from infra.errors import ConfigurationError
from infra.servers import Servers, data_folder, folder_name_of, running_servers, servers_from


def test_an_empty_environment_names_no_servers() -> None:
    assert servers_from({}) is None
    assert servers_from({"LEDGER_KAFKA": " ", "LEDGER_POSTGRES": ""}) is None


def test_servers_of_the_environment_are_taken_as_they_are() -> None:
    environment = {"LEDGER_KAFKA": "broker:9092", "LEDGER_POSTGRES": "postgresql://admin@db/postgres"}
    assert servers_from(environment) == Servers(
        kafka="broker:9092", postgres="postgresql://admin@db/postgres", kind="environment"
    )


@pytest.mark.parametrize(
    ("present", "missing"), [("LEDGER_KAFKA", "LEDGER_POSTGRES"), ("LEDGER_POSTGRES", "LEDGER_KAFKA")]
)
def test_one_server_without_the_other_is_an_error_that_names_the_missing_one(present: str, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{missing} is not"):
        servers_from({present: "somewhere"})


def test_given_servers_are_neither_started_nor_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_KAFKA", "broker:9092")
    monkeypatch.setenv("LEDGER_POSTGRES", "postgresql://admin@db/postgres")
    with running_servers(tmp_path, lambda _: None) as servers:
        assert servers.kind == "environment"
    assert list(tmp_path.iterdir()) == []


def test_the_data_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DATA", str(tmp_path / "here"))
    assert data_folder() == tmp_path / "here"


def test_two_checkouts_of_one_name_have_two_data_folders() -> None:
    first, second = folder_name_of(Path("/a/ledger")), folder_name_of(Path("/b/ledger"))
    assert first != second
    assert first.startswith("ledger-")
    assert len(first) == len("ledger-") + 8
