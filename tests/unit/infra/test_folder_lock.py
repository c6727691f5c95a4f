"""One folder, one stack."""

import os
from pathlib import Path

import pytest

from infra.errors import FolderInUse
from infra.local.folder_lock import folder_lock


def test_a_second_stack_in_the_same_folder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with folder_lock(tmp_path), pytest.raises(FolderInUse, match=str(os.getpid())), folder_lock(tmp_path):
        pass


def test_a_folder_is_free_again_after_the_stack_ended(tmp_path: Path) -> None:
    for _ in range(2):
        with folder_lock(tmp_path):
            pass
