"""A stack that comes back comes back at the same place."""

import socket
from pathlib import Path

from infra.local.ports import LOOPBACK, choose_port, is_free


def test_a_remembered_port_is_taken_again_while_it_is_free(tmp_path: Path) -> None:
    first = choose_port(tmp_path / "port")
    assert choose_port(tmp_path / "port") == first


def test_a_port_that_is_taken_is_replaced_and_the_new_one_remembered(tmp_path: Path) -> None:
    first = choose_port(tmp_path / "port")
    with socket.socket() as other:
        other.bind((LOOPBACK, first))
        other.listen()
        assert not is_free(first)
        second = choose_port(tmp_path / "port")
    assert second != first
    assert choose_port(tmp_path / "port") == second


def test_a_port_file_with_nonsense_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("99999999 or so")
    assert is_free(choose_port(tmp_path / "port"))
