import asyncio
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.wait import TIMEOUT
from tui_chat.session.compose_mode import ComposeKind, ComposeMode
from tui_chat.session.input_history import MAX_HISTORY
from tui_chat.session.store import composer_store
from tui_chat.session.store.composer_store import FILE_NAME, ComposerStore, SavedRoomState

SERVER, OTHER_SERVER = "http://localhost:3000", "http://chat.example:3000"


def open_store(
    folder: Path,
    server: str = SERVER,
    nick: str = "ann",
    *,
    history: bool = True,
    on_problem: Callable[[str], None] = lambda problem: None,
) -> ComposerStore:
    return ComposerStore(folder, server, nick, save_history=history, on_problem=on_problem)


@pytest.fixture
def problems() -> list[str]:
    return []


async def test_drafts_and_their_compose_modes_are_restored(tmp_path: Path) -> None:
    reply_mode = ComposeMode(ComposeKind.REPLY, 7, "bob: tea?")
    async with open_store(tmp_path) as store:
        store.save_draft("tea", "half a", None)
        store.save_draft("tea", "half an answer", reply_mode)
        store.save_draft("Dev", "for dev", None)
    async with open_store(tmp_path) as store:
        assert await store.load_room("TEA") == SavedRoomState("half an answer", reply_mode)
        assert await store.load_room("dev") == SavedRoomState("for dev")
        store.save_draft("tea", "", None)
    async with open_store(tmp_path) as store:
        assert await store.load_room("tea") == SavedRoomState()
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600 or os.name != "posix"


@pytest.mark.parametrize("damage", [b"\0", b'{"kind":"\xff"}', b'{"unknown":' + b"[" * 10_000])
async def test_a_draft_with_an_undecodable_compose_mode_keeps_its_text(tmp_path: Path, damage: bytes) -> None:
    async with open_store(tmp_path) as store:
        store.save_draft("tea", "half", ComposeMode(ComposeKind.REPLY, 7, "bob: tea?"))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE drafts SET compose_mode = ?", (damage,))
    async with open_store(tmp_path) as store:
        assert await store.load_room("tea") == SavedRoomState("half")


async def test_saved_state_is_scoped_to_server_and_nickname(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        store.save_draft("tea", "mine", None)
        store.add_sent_text("tea", "said")
        store.add_room("tea")
    for other_store in (open_store(tmp_path, OTHER_SERVER), open_store(tmp_path, nick="bob")):
        async with other_store:
            assert await other_store.load_room("tea") == SavedRoomState()
            assert await other_store.load_room_names() == []


async def test_saved_state_follows_a_nickname_change(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        store.add_room("tea")
        store.add_sent_text("tea", "said as ann")
        store.rename_nick("Anna")
        store.save_draft("tea", "written as anna", None)
        assert await store.load_room_names() == ["tea"]
    async with open_store(tmp_path, nick="anna") as store:
        assert await store.load_room("tea") == SavedRoomState("written as anna", None, ("said as ann",))


async def test_saved_state_follows_a_new_room_name(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        store.add_room("tea")
        store.add_sent_text("tea", "said in tea")
        store.save_read_marker("tea", 9)
        store.save_draft("tea", "half", None)
        store.rename_room("tea", "Green tea")
        store.rename_room("Green tea", "green TEA")
    async with open_store(tmp_path) as store:
        assert await store.load_room_names() == ["green TEA"]
        assert await store.load_room("tea") == SavedRoomState()
        assert await store.load_room("green tea") == SavedRoomState("half", None, ("said in tea",), 9)


async def test_the_number_of_sent_texts_is_limited_per_room(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        for number in range(MAX_HISTORY + 20):
            store.add_sent_text("tea", f"text {number}")
        store.add_sent_text("dev", "only one")
    async with open_store(tmp_path) as store:
        assert (await store.load_room("dev")).sent_texts == ("only one",)
        sent = (await store.load_room("tea")).sent_texts
        assert (sent[0], sent[-1], len(sent)) == ("text 20", f"text {MAX_HISTORY + 19}", MAX_HISTORY)


async def test_sent_texts_are_not_written_when_history_is_disabled(tmp_path: Path) -> None:
    async with open_store(tmp_path, history=False) as store:
        store.add_sent_text("tea", "between us")
        store.save_draft("tea", "half", None)
        assert (await store.load_room("tea")).draft == "half"
    assert all(b"between us" not in file.read_bytes() for file in tmp_path.iterdir())


async def test_the_room_order_is_restored_without_removed_rooms(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        for room in ("tea", "dev", "ops", "tea"):
            store.add_room(room)
        store.remove_room("DEV")
    async with open_store(tmp_path) as store:
        assert await store.load_room_names() == ["tea", "ops"]


async def test_the_least_recently_used_rooms_are_removed_above_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composer_store, "MAX_ROOMS", 2)
    async with open_store(tmp_path) as store:
        for room in ("tea", "dev", "tea", "ops"):
            store.add_room(room)
    async with open_store(tmp_path) as store:
        assert await store.load_room_names() == ["tea", "ops"]


async def test_read_markers_are_restored_until_the_room_is_removed(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        store.add_room("tea")
        assert (await store.load_room("tea")).read_seq is None
        store.save_read_marker("tea", 7)
        store.save_read_marker("Tea", 9, has_unsent_mark=True)
        store.add_room("tea")
    async with open_store(tmp_path) as store:
        assert await store.load_room("tea") == SavedRoomState(read_seq=9, has_unsent_mark=True)
        store.remove_room("tea")
        assert (await store.load_room("tea")).read_seq is None


async def test_blocked_members_belong_to_an_account_under_any_nickname(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        store.save_blocked_members("ann", frozenset({"b", "c"}))
        store.save_blocked_members("Ann", frozenset({"c"}))
        store.save_blocked_members("eve", frozenset({"a"}))
    async with open_store(tmp_path, nick="other") as store:
        assert await store.load_blocked_members("ann") == {"c"}
        assert await store.load_blocked_members("bob") == frozenset()


async def test_drafts_are_written_before_the_store_closes(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store, open_store(tmp_path) as second_store:
        store.save_draft("tea", "typed", None)
        async with asyncio.timeout(TIMEOUT):
            while (await second_store.load_room("tea")).draft != "typed":  # noqa: ASYNC110 (SQLite sends no change notification)
                await asyncio.sleep(0.02)


async def test_a_corrupt_file_is_moved_aside_and_reported_once(tmp_path: Path, problems: list[str]) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    async with open_store(tmp_path, on_problem=problems.append) as store:
        assert await store.load_room("tea") == SavedRoomState()
        store.save_draft("tea", "typed", None)
        assert (await store.load_room("tea")).draft == "typed"
    assert len(problems) == 1
    assert list(tmp_path.glob("*.damaged-*"))


async def test_an_unwritable_folder_is_reported_once(
    tmp_path: Path, problems: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    async with open_store(tmp_path / "file", on_problem=problems.append) as store:
        store.save_draft("tea", "typed", None)
        store.add_room("tea")
        assert await store.load_room("tea") == SavedRoomState()
        assert await store.load_room_names() == []
    assert len(problems) == 1
    failures = [record.getMessage() for record in caplog.records if record.getMessage().startswith("drafts: access")]
    assert len(failures) > 1
    assert all(failure.endswith("; unsaved data may be lost") for failure in failures)
