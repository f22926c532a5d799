"""Persistence of composer state and the typing indicator, without an app."""

import pytest

from tests.support.chat_parts import RecordedRequests
from tests.support.fake_room import FakeRoom
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.compose_mode import ComposeKind, ComposeMode
from tui_chat.session.drafts import TYPING_REPEAT_INTERVAL, DraftManager
from tui_chat.session.room_view import RoomView
from tui_chat.session.store.composer_store import SavedRoomState


@pytest.fixture
def requests() -> RecordedRequests:
    return RecordedRequests()


@pytest.fixture
def tea() -> RoomView:
    return ChatSession(lambda: 1_000).add_room(FakeRoom("tea").join("hello"))


def test_only_a_changed_draft_is_saved(requests: RecordedRequests, tea: RoomView) -> None:
    drafts = DraftManager(requests, requests.send_typing)
    drafts.save(tea, "")
    drafts.save(tea, "half")
    drafts.save(tea, "half")
    tea.compose_mode = ComposeMode(ComposeKind.REPLY, 1, "")
    drafts.save(tea, "half")
    assert requests.calls == [("save_draft", "tea", "half", None), ("save_draft", "tea", "half", ComposeKind.REPLY)]
    assert tea.draft == "half"


def test_only_a_changed_read_marker_is_saved(requests: RecordedRequests, tea: RoomView) -> None:
    drafts = DraftManager(requests, requests.send_typing)
    drafts.save_read_marker(tea)
    drafts.save_read_marker(tea)
    assert requests.calls == [("save_read_marker", "tea", 1)]


def test_the_typing_indicator_repeats_after_an_interval_and_ends_with_the_text(
    requests: RecordedRequests, tea: RoomView
) -> None:
    now = 100.0
    drafts = DraftManager(requests, requests.send_typing, lambda: now)
    drafts.update_typing(tea, "")
    drafts.update_typing(tea, "/join")
    assert requests.calls == []
    drafts.update_typing(tea, "h")
    drafts.update_typing(tea, "he")
    assert requests.calls == [("send_typing", "tea", True)]
    now += TYPING_REPEAT_INTERVAL + 1
    drafts.update_typing(tea, "hel")
    drafts.update_typing(tea, "")
    drafts.update_typing(tea, "")
    assert requests.calls[1:] == [("send_typing", "tea", True), ("send_typing", "tea", False)]


def test_a_sent_message_permits_an_immediate_typing_indicator(requests: RecordedRequests, tea: RoomView) -> None:
    drafts = DraftManager(requests, requests.send_typing, lambda: 100.0)
    drafts.update_typing(tea, "h")
    drafts.reset_typing()
    drafts.update_typing(tea, "")
    drafts.update_typing(tea, "n")
    assert requests.calls == [("send_typing", "tea", True)] * 2


def test_another_room_ends_the_typing_indicator_and_its_draft_starts_none(
    requests: RecordedRequests, tea: RoomView
) -> None:
    drafts = DraftManager(requests, requests.send_typing, lambda: 100.0)
    dev = ChatSession(lambda: 1_000).add_room(FakeRoom("dev").join(), SavedRoomState("half"))
    drafts.update_typing(tea, "h")
    drafts.update_typing(dev, "half")
    assert requests.calls == [("send_typing", "tea", True), ("send_typing", "tea", False)]
    drafts.update_typing(dev, "half a")
    assert requests.calls[2:] == [("send_typing", "dev", True)]
