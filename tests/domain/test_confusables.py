"""Confusable names, and the mark of a confusable nickname."""

from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest

from server.domain import confusables
from server.domain.room_registry import RoomRegistry
from tui_chat.protocol.names import canonical_key


def are_confusable(first: str, second: str) -> bool:
    """Return whether two names have a skeleton in common."""
    keys = [confusables.get_skeletons(name, canonical_key(name)) for name in (first, second)]
    return not keys[0].isdisjoint(keys[1])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ann", "\u0410nn"),
        ("ann", "\u0410nn"),
        ("scope", "\u0455\u0441\u043e\u0440\u0435"),
        ("barn", "bam"),
        ("Ill", "lll"),
        ("b0b", "bOb"),
        ("\u0660", "\u06f0"),
        ("\u0664", "\u06f4"),
        ("caf\u00e9", "cafe\u0301"),
    ],
)
def test_names_of_equal_appearance_are_confusable(first: str, second: str) -> None:
    assert are_confusable(first, second)
    assert are_confusable(second, first)


@pytest.mark.parametrize(("first", "second"), [("Ann", "Bob"), ("ann", "ann2"), ("小明", "小红"), ("e", "é")])
def test_distinct_names_are_not_confusable(first: str, second: str) -> None:
    assert not are_confusable(first, second)


def test_ascii_skeletons_match_the_table_whose_prototypes_are_not_mapped_further() -> None:
    table = confusables._load_prototypes()  # pyright: ignore[reportPrivateUsage]
    text = "".join(map(chr, range(128)))
    assert confusables.get_skeletons(text, text) == {text.translate(table)}
    assert not {ord(prototype) for prototype in table.values() if len(prototype) == 1} & table.keys()


@pytest.fixture
def empty_caches() -> Generator[None]:
    """Clear the caches of the table and of skeletons before and after a test."""
    caches = (confusables._load_prototypes, confusables.get_skeletons)  # pyright: ignore[reportPrivateUsage]
    for cached_function in caches:
        cached_function.cache_clear()
    yield
    for cached_function in caches:
        cached_function.cache_clear()


@pytest.mark.usefixtures("empty_caches")
@pytest.mark.parametrize("content", [None, b"{", b'{"a": 1}'])
def test_an_unreadable_table_is_logged_once_and_marks_no_name(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if content is not None:
        (tmp_path / "confusables.json").write_bytes(content)

    def find_files(_: str) -> Path:
        return tmp_path

    monkeypatch.setattr(confusables, "files", find_files)
    assert not are_confusable("Ann", "\u0410nn")
    assert not are_confusable("bob", "b\u043eb")
    assert len(caplog.records) == 1


def test_a_confusable_nickname_is_marked_until_it_changes() -> None:
    registry = RoomRegistry[int]()
    room = registry.join(1, "tea", "g1", "Ann").room
    impostor = registry.join(2, "tea", "g2", "\u0410nn").participant
    assert (impostor.member.confusable, room.participants["g1"].member.confusable) == (True, False)
    assert msgspec.to_builtins(impostor.member)["confusable"] is True
    registry.join(3, "tea", "g1", "Ann")
    assert not room.participants["g1"].member.confusable
    registry.change_nick(room, impostor, "Eve")
    assert "confusable" not in msgspec.to_builtins(impostor.member)
    registry.change_nick(room, impostor, "\u0410nn")
    assert impostor.member.confusable
    for connection in (1, 3):
        registry.leave(connection, "tea")
    assert registry.join(1, "tea", "g4", "A\u0578n").participant.member.confusable is True
