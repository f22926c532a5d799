"""Drawing and layout of the chat screen, without an app."""

import gc
import time
import weakref

import pytest

from tests.support.chat_parts import ChatParts
from tests.support.fake_room import FakeRoom
from tui_chat.client.events import ConnectionStateChanged, Offline, Online
from tui_chat.protocol.errors import Unavailable
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.ui.screens.chat_view import MIN_TIMELINE_WIDTH, ONE_PANE_WIDTH, PANE_WIDTH, TWO_PANE_WIDTH


@pytest.fixture
def parts() -> ChatParts:
    return ChatParts()


def open_room(parts: ChatParts, name: str, *texts: str) -> FakeRoom:
    """Open and draw a room with messages of Bob."""
    room = FakeRoom(name).join(*texts)
    parts.session.add_room(room)
    parts.view.draw_changes()
    return room


def test_a_room_keeps_its_draft_and_its_scroll_position(parts: ChatParts) -> None:
    open_room(parts, "tea", *(f"line {number}" for number in range(1, 101)))
    parts.view.timeline.scroll_to_key("message-3")
    parts.view.composer.set_text("half a sentence")
    open_room(parts, "dev")
    assert parts.view.composer.text == ""
    assert parts.requests.named("save_draft") == [("save_draft", "tea", "half a sentence", None)]
    parts.session.show_room("tea")
    parts.view.draw_changes()
    assert parts.view.composer.text == "half a sentence"
    assert parts.view.timeline.get_scroll_position().key == "message-3"


def test_a_closed_room_is_released(parts: ChatParts) -> None:
    open_room(parts, "tea", "first")
    open_room(parts, "dev")
    closed = weakref.ref(parts.session.rooms["tea"])
    parts.session.remove_room("tea")
    parts.view.draw_changes()
    gc.collect()
    assert closed() is None


def test_a_message_is_read_only_while_the_newest_line_is_viewed(parts: ChatParts) -> None:
    room = open_room(parts, "tea", "first")
    view = parts.session.rooms["tea"]
    room.push_message(parts.session, "second")
    parts.view.draw_changes()
    assert parts.requests.named("save_read_marker")[-1] == ("save_read_marker", "tea", 2)
    parts.session.has_focus = False
    parts.view.draw_changes()
    room.push_message(parts.session, "third")
    parts.view.draw_changes()
    assert view.unread_count == 1
    assert parts.requests.named("save_read_marker")[-1] == ("save_read_marker", "tea", 2)
    assert parts.titles[-1] == "(1) tea · chat"


@pytest.mark.parametrize(
    ("width", "room_count", "rooms_visible", "members_visible"),
    [
        (TWO_PANE_WIDTH, 2, True, True),
        (TWO_PANE_WIDTH - 1, 2, True, False),
        (ONE_PANE_WIDTH, 1, False, True),
        (ONE_PANE_WIDTH - 1, 2, False, False),
    ],
)
def test_side_panes_depend_on_the_width(
    parts: ChatParts, width: int, room_count: int, rooms_visible: bool, members_visible: bool
) -> None:
    parts.width = width
    for name in ("tea", "dev")[:room_count]:
        open_room(parts, name)
    parts.view.layout()
    assert (parts.view.rooms.display, parts.view.members.display) == (rooms_visible, members_visible)


def test_a_toggled_pane_stays_until_its_setting_changes(parts: ChatParts) -> None:
    open_room(parts, "tea")
    parts.view.toggle_pane(parts.view.members)
    assert not parts.view.members.display
    parts.view.apply_settings(ClientSettings(nick_width=9))
    assert not parts.view.members.display
    parts.view.apply_settings(ClientSettings(room_list="always"))
    assert parts.view.members.display
    assert parts.view.rooms.display
    parts.width = MIN_TIMELINE_WIDTH + PANE_WIDTH - 1
    parts.view.layout()
    assert not parts.view.rooms.display


def test_each_loss_of_the_connection_starts_one_reconnect_countdown(parts: ChatParts) -> None:
    open_room(parts, "tea")
    offline, online = Offline(Unavailable("server_silent"), 5.0, time.monotonic() + 5), Online(0.01)
    timer_counts: list[int] = []
    for state in (online, offline, offline, online, offline):
        parts.session.apply(ConnectionStateChanged(state))
        parts.view.draw_changes()
        timer_counts.append(len(parts.timers))
    assert timer_counts == [0, 1, 1, 1, 2]
    assert {delay for delay, _ in parts.timers} == {1.0}


def test_an_error_stays_until_the_text_changes(parts: ChatParts) -> None:
    parts.view.composer.set_text("/nosuch")
    parts.view.show_error("Unknown command.")
    parts.view.on_text_changed()
    assert parts.status.error == "Unknown command."
    parts.view.return_to_composer("!")
    parts.view.on_text_changed()
    assert parts.status.error == "Unknown command."
    parts.view.composer.insert_text("?")
    parts.view.on_text_changed()
    assert parts.status.error == ""
