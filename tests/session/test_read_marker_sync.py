"""Requests of the read marker synchronization."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.fake_room import FakeRoom
from tui_chat.client.events import Online, ReadMarker
from tui_chat.session import read_marker_sync
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.read_marker_sync import ReadMarkerSync


async def test_a_mark_as_unread_cancels_the_scheduled_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_marker_sync, "SEND_DELAY", 0.0)
    requests: list[tuple[int, bool]] = []

    async def mark_read(seq: int, unread: bool = False) -> None:
        requests.append((seq, unread))

    session = ChatSession(lambda: 1_000)
    view = session.add_room(FakeRoom("tea").join("one", "two"))
    session.connection_state = Online()
    room: Any = SimpleNamespace(
        read_marker=SimpleNamespace(state=ReadMarker(seq=0, unread=0, mentions=0), mark_read=mark_read)
    )
    markers = ReadMarkerSync(session, lambda _: room, has_account=lambda: True, start=asyncio.ensure_future)
    markers.schedule()
    markers.mark_unread(view, 2)
    await asyncio.sleep(0.001)  # longer than the delay of the scheduled send
    assert requests == [(1, True)]
