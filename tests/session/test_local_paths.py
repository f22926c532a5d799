"""Paths of local files in commands and pasted text."""

import os
from pathlib import Path

import pytest

from tui_chat.session.local_paths import find_dropped_files, parse_paths


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    plain, spaced = tmp_path / "a.txt", tmp_path / "it's 茶 1.png"
    plain.touch()
    spaced.touch()
    return plain, spaced


def test_files_are_found_in_each_form_of_a_dropped_path(files: tuple[Path, Path]) -> None:
    plain, spaced = files
    escaped = str(spaced).replace(" ", "\\ ").replace("'", "\\'")
    for text in (f'"{spaced}"', f'"{spaced}" ', escaped, str(spaced), spaced.as_uri()):
        assert find_dropped_files(text) == [spaced]
    assert find_dropped_files(f"file://localhost{plain}") == [plain]
    assert find_dropped_files(f"{plain} {escaped}") == [plain, spaced]
    assert find_dropped_files(f"{plain.as_uri()}\n{spaced}\n") == [plain, spaced]


def test_other_text_is_no_list_of_files(files: tuple[Path, Path]) -> None:
    plain, _ = files
    os.mkfifo(plain.parent / "pipe")
    for text in (
        "",
        "hello",
        "a.txt",
        f"{plain} missing",
        f"{plain}x",
        str(plain.parent),
        str(plain.parent / "pipe"),
        f"see {plain}",
        f"'{plain}",
        f"file://example.com{plain}",
        "file://[",
        "/a\0b",
        " ".join([str(plain)] * 11),
        "/" * 10_000,
    ):
        assert find_dropped_files(text) == []


def test_arguments_are_one_path_or_several_in_the_syntax_of_a_shell(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, spaced = files
    monkeypatch.setenv("HOME", str(plain.parent))
    assert parse_paths("~/a.txt") == [plain]
    assert parse_paths(str(spaced)) == [spaced]
    assert parse_paths(f"~/a.txt '{plain}'") == [plain, plain]
    assert parse_paths(plain.as_uri()) == [plain]
    assert parse_paths("no such file") == [Path("no such file")]
    assert parse_paths("'unbalanced") == [Path("'unbalanced")]
