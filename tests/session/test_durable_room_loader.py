"""Loader of durable memberships with a stand-in for the client."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.fake_room import FakeRoom
from tui_chat.client.events import Online
from tui_chat.protocol.responses import OwnRoom
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.durable_room_loader import DurableRoomLoader
from tui_chat.session.server_link import ServerLink
from tui_chat.session.session_events import DurableRoomsReceived
from tui_chat.session.session_target import SessionTarget


async def list_no_memberships() -> list[OwnRoom]:
    return []


async def test_the_load_after_a_failed_one_counts_as_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    link = ServerLink(SessionTarget("http://127.0.0.1:1", "tea", "ann", restore_rooms=False), Path(), None)
    session = ChatSession(lambda: 1_000)
    session.add_room(FakeRoom("tea"))
    session.connection_state = Online()
    loader = DurableRoomLoader(session, link, lambda: True)
    loader.load_once()
    await link.wait_until_idle()
    assert not link.event_queue
    owned_rooms = SimpleNamespace(list_memberships=list_no_memberships)
    monkeypatch.setattr(link, "require_client", lambda: SimpleNamespace(owned_rooms=owned_rooms))
    for is_first in (True, False):
        loader.refresh()
        await link.wait_until_idle()
        assert link.event_queue.pop() == DurableRoomsReceived((), is_first)
    loader.stop()
