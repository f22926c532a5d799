"""Navigation to messages and back, without an app."""

from datetime import datetime

import pytest

from tests.support.chat_parts import ChatParts
from tests.support.fake_room import FakeRoom
from tui_chat.session import date_parser
from tui_chat.session.i18n import tr
from tui_chat.session.search_state import SearchHit
from tui_chat.session.strings import chat as chat_strings, search as search_strings
from tui_chat.ui.screens.message_navigation import MessageNavigation
from tui_chat.ui.screens.search import SearchScreen


def search_hit(room: str, seq: int) -> SearchHit:
    return SearchHit(room, seq, ts=0, nick="bob", excerpt="", match_ranges=())


class JumpParts(ChatParts):
    def __init__(self) -> None:
        super().__init__()
        self.requested_rooms: list[str] = []
        self.navigation = MessageNavigation(self.server_link, self.view, self.go_to_room)
        self.view.on_drawn = self.navigation.on_drawn
        self.view.on_error = self.navigation.cancel
        self.rooms = {
            name: FakeRoom(name).join(*(f"line {number}" for number in range(1, 101))) for name in ("books", "tea")
        }
        for room in self.rooms.values():
            self.session.add_room(room)
        self.view.draw_changes()

    def go_to_room(self, room: str) -> None:
        self.requested_rooms.append(room)
        self.session.show_room(room)
        self.view.draw_changes()

    def jump(self, room: str, seq: int) -> None:
        """Select a search hit and answer the request for its context."""
        self.navigation.open_search()
        self.close_dialog(search_hit(room, seq))
        self.navigation.on_context_loaded(room, seq)


@pytest.fixture
def parts() -> JumpParts:
    return JumpParts()


def test_a_search_hit_is_highlighted_after_its_context_is_loaded(parts: JumpParts) -> None:
    parts.navigation.open_search("line")
    assert isinstance(parts.dialogs[-1][0], SearchScreen)
    parts.close_dialog(search_hit("tea", 101))
    assert parts.status.text == tr("Jumping to the message…")
    assert parts.requests.named("load_context") == [("load_context", "tea", 101, None)]
    parts.rooms["tea"].push_message(parts.session, "line 101")
    parts.navigation.on_context_loaded("tea", 101)
    assert parts.view.timeline.highlighted_key is None
    parts.view.draw_changes()
    assert parts.view.timeline.highlighted_key == "message-101"
    assert parts.view.timeline.cursor_key is None
    assert parts.focused[-1] is parts.view.composer
    assert parts.status.text == ""


def test_a_loaded_search_hit_is_highlighted_at_once(parts: JumpParts) -> None:
    parts.navigation.open_search()
    parts.close_dialog(search_hit("tea", 3))
    assert parts.view.timeline.highlighted_key == "message-3"
    assert not parts.view.timeline.is_at_bottom


def test_going_back_returns_once_to_the_start_of_the_navigation(parts: JumpParts) -> None:
    parts.jump("books", 3)
    parts.jump("books", 50)
    assert parts.navigation.go_back()
    assert parts.session.current_room is parts.session.rooms["tea"]
    assert parts.view.timeline.is_at_bottom
    assert not parts.navigation.go_back()


def test_another_room_discards_the_return_position(parts: JumpParts) -> None:
    parts.jump("books", 3)
    parts.session.show_room("tea")
    parts.view.draw_changes()
    assert not parts.navigation.go_back()
    parts.navigation.go_to_reply_target(parts.session.rooms["tea"], 7)
    parts.session.show_room("books")
    parts.view.draw_changes()
    assert not parts.navigation.go_back()


def test_the_newest_line_discards_the_return_position(parts: JumpParts) -> None:
    parts.jump("tea", 3)
    parts.navigation.go_to_newest()
    assert parts.view.timeline.is_at_bottom
    assert not parts.navigation.go_back()


def test_an_error_cancels_the_pending_navigation(parts: JumpParts) -> None:
    parts.navigation.open_search()
    parts.close_dialog(search_hit("tea", 101))
    parts.view.show_error("not possible")
    parts.rooms["tea"].push_message(parts.session, "line 101")
    parts.navigation.on_context_loaded("tea", 101)
    parts.view.draw_changes()
    assert parts.view.timeline.highlighted_key is None
    assert parts.status.error == "not possible"


def test_a_message_that_does_not_exist_is_reported(parts: JumpParts) -> None:
    parts.navigation.open_search()
    parts.close_dialog(search_hit("tea", 300))
    parts.navigation.on_context_loaded("books", None)
    assert parts.status.error == ""
    parts.navigation.on_context_loaded("tea", None)
    assert parts.status.error == tr("This message no longer exists.")


def test_a_loaded_reply_target_needs_no_request(parts: JumpParts) -> None:
    parts.navigation.go_to_reply_target(parts.session.rooms["tea"], 7)
    assert parts.view.timeline.highlighted_key == "message-7"
    assert parts.status.text == ""
    assert not parts.requests.named("load_context")
    parts.navigation.leave_message_cursor()
    assert parts.view.timeline.highlighted_key is None
    assert parts.view.timeline.is_at_bottom


def test_going_back_from_a_reply_target_returns_to_the_reply_instead_of_an_earlier_position(parts: JumpParts) -> None:
    parts.jump("tea", 90)
    reply_position = parts.view.timeline.get_scroll_position()
    parts.navigation.go_to_reply_target(parts.session.rooms["tea"], 7)
    assert parts.navigation.go_back()
    assert parts.view.timeline.get_scroll_position() == reply_position


def test_a_day_is_requested_by_its_first_moment_and_another_day_is_named(parts: JumpParts) -> None:
    today = datetime.now().astimezone().date()
    assert parts.navigation.go_to_day(today.isoformat()) == ""
    assert parts.requests.named("load_context") == [("load_context", "tea", None, date_parser.start_of_day(today))]
    parts.navigation.on_context_loaded("tea", 5)
    assert parts.status.text == search_strings.no_messages_on(today.isoformat(), False)
    assert parts.navigation.go_to_day("no day") == search_strings.invalid_date("no day")


def test_a_day_without_a_room_is_an_error(parts: JumpParts) -> None:
    for room in ("books", "tea"):
        parts.session.remove_room(room)
    assert parts.navigation.go_to_day("today") == tr(chat_strings.NOT_IN_A_ROOM)
