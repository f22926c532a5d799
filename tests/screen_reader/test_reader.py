"""Screen-reader session without a server."""

import asyncio
from pathlib import Path

import pytest

from tests.support.fake_room import FakeRoom
from tests.support.wait import wait_until
from tui_chat.client.events import LogChanged, RoomRenamed
from tui_chat.protocol.events import Entry
from tui_chat.protocol.responses import JoinResponse, RoomState
from tui_chat.screen_reader.reader import ScreenReader
from tui_chat.session import chat_session
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.settings.settings_file import SettingsFile


async def test_missed_entries_before_the_announced_messages_are_counted(tmp_path: Path) -> None:
    announced: list[str] = []
    target = SessionTarget("http://127.0.0.1:1", "tea", "ann", restore_rooms=False)
    reader = ScreenReader(target, SettingsFile(), tmp_path, announced.append)
    room = FakeRoom("tea").join("seen")
    reader.session.add_room(room)
    reader.announce_current_room(is_new=True)
    announced.clear()
    state = RoomState(name="tea", topic="", log_id="log", first_seq=1, last_seq=9, visibility="public")
    newest: list[Entry] = [room.message(8, "eight"), room.message(9, "nine")]
    rejoin = JoinResponse(
        room=state, nick_name="ann", member_id="a", guest_key="k", members=[], messages=newest, has_more=True
    )
    reader.on_event(LogChanged("tea", room.log.apply_join(rejoin, 1), False))
    room.push_message(reader.session, "ten")
    reader.on_event(LogChanged("tea", (10,), True))
    missed = "6 missed entries are not read out. /date reads the messages of a day."
    assert announced == [missed, "bob says: eight", "bob says: nine", "bob says: ten"]


async def test_a_renamed_room_keeps_its_notification_level_and_queued_notifications_have_the_new_name(
    tmp_path: Path,
) -> None:
    announced: list[str] = []
    settings = SettingsFile()
    settings.change("room_notifications", {"http://127.0.0.1:1/TEA": "all", "dev": "none"})
    settings.change("notify", "none")
    target = SessionTarget("http://127.0.0.1:1", "tea", "ann", restore_rooms=False)
    reader = ScreenReader(target, settings, tmp_path, announced.append)
    room = FakeRoom("tea").join()
    reader.session.add_room(room)
    reader.session.add_room(FakeRoom("dev").join())
    reader.session.show_room("dev")
    room.push_message(reader.session, "before")
    room.name = "Green tea"
    renamed = RoomRenamed("tea", room.name)
    reader.controller.apply(renamed)
    assert settings.settings.room_notifications == {
        "dev": "none",
        "http://127.0.0.1:1/Green tea": "all",
    }
    seq = room.push_message(reader.session, "after")
    reader.on_event(LogChanged("Green tea", (seq,), True))
    assert announced == ["In Green tea, bob says: before", "In Green tea, bob says: after"]


async def test_long_rooms_are_trimmed_without_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_session, "MAX_LINES", 4)
    target = SessionTarget("http://127.0.0.1:1", "tea", "ann", restore_rooms=False)
    reader = ScreenReader(target, SettingsFile(), tmp_path, lambda text: None)
    reader.session.add_room(FakeRoom("tea").join(*"abcdef"))
    trims: list[tuple[str, int]] = []

    def trim(room: str, keep_count: int) -> None:
        trims.append((room, keep_count))

    monkeypatch.setattr(reader.controller.server_link, "trim", trim)
    reader.controller.server_link.event_queue.put(LogChanged("tea", (6,), True))
    task = asyncio.create_task(reader.process_events())
    await wait_until(lambda: trims)
    task.cancel()
    assert trims == [("tea", 2)]
