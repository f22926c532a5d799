"""Replacement of small files."""

import os
from pathlib import Path
from stat import S_ISDIR

import pytest

from tui_chat.session.store.atomic_write import atomic_write


def test_only_a_durable_write_syncs_the_content_before_the_rename_and_the_directory_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"old")
    synced: list[tuple[str, bytes]] = []

    def record_sync(descriptor: int) -> None:
        is_directory = S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append(("directory" if is_directory else "file", path.read_bytes()))

    monkeypatch.setattr(os, "fsync", record_sync)
    atomic_write(path, b"cached", is_durable=False)
    assert synced == []
    atomic_write(path, b"new")
    assert synced == [("file", b"cached"), ("directory", b"new")]
