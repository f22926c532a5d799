"""Screen-reader session without a server."""

import asyncio
from pathlib import Path

import pytest

from tests.support.fake_room import FakeRoom
from tests.support.wait import wait_until
from tui_chat.client.events import LogChanged
from tui_chat.screen_reader.reader import ScreenReader
from tui_chat.session import chat_session
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.settings.settings_file import SettingsFile


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
