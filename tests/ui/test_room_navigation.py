"""Room switches and the input that waits for them, without an app."""

import pytest
from textual.events import Key, Paste

from tests.support.chat_parts import ChatParts
from tests.support.fake_room import FakeRoom
from tui_chat.protocol.responses import RoomSummary
from tui_chat.ui.screens import room_navigation
from tui_chat.ui.screens.room_navigation import ROOM_CLOSED_GRACE, RoomNavigation
from tui_chat.ui.screens.room_switcher import RoomSwitcher


class NavigationParts(ChatParts):
    """Room navigation in the room `tea`.

    Attributes:
        waiting: Input that waits for a room.
        navigation: Navigation under test.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Key | Paste] = []
        self.navigation = RoomNavigation(
            self.server_link,
            self.view,
            set_timer=self.set_timer,
            drain_input=lambda: self.waiting,
        )
        self.open_room("tea")

    def open_room(self, name: str) -> None:
        """Open and show a room."""
        self.session.add_room(FakeRoom(name).join("hello"))
        self.navigation.on_current_room_changed()


@pytest.fixture
def parts() -> NavigationParts:
    return NavigationParts()


def test_an_open_room_is_shown_at_once(parts: NavigationParts) -> None:
    parts.open_room("dev")
    parts.navigation.go_to_room("TEA")
    assert parts.view.displayed_room is parts.session.rooms["tea"]
    assert not parts.navigation.is_switching


def test_input_waits_until_the_requested_room_is_open(parts: NavigationParts) -> None:
    parts.navigation.go_to_room("Dev")
    assert parts.requests.named("join") == [("join", "Dev", "ann", parts.session.switch_number)]
    assert parts.navigation.is_switching
    parts.open_room("other")
    assert parts.navigation.is_switching
    parts.open_room("dev")
    assert not parts.navigation.is_switching


def test_waiting_input_returns_to_the_composer_after_a_failed_switch(parts: NavigationParts) -> None:
    parts.waiting = [Key("h", "h"), Key("alt+x", "x"), Key("enter", "\r"), Paste("you\x1b"), Key("enter", "\r")]
    parts.view.composer.set_text("> ")
    parts.navigation.go_to_room("dev")
    parts.navigation.cancel_switch("tea")
    assert parts.navigation.is_switching
    parts.navigation.cancel_switch("DEV")
    assert not parts.navigation.is_switching
    assert parts.view.composer.text == "> h\nyou"


def test_waiting_input_moves_into_the_composer_of_an_open_room_shown_during_the_switch(parts: NavigationParts) -> None:
    parts.open_room("oak")
    parts.navigation.go_to_room("dev")
    parts.waiting = [Key("h", "h"), Key("enter", "\r")]
    parts.navigation.go_to_room("tea")
    assert not parts.navigation.is_switching
    assert parts.view.displayed_room is parts.session.rooms["tea"]
    assert parts.view.composer.text == "h"


def test_waiting_input_returns_to_the_composer_after_the_timeout(parts: NavigationParts) -> None:
    parts.waiting = [Key("h", "h")]
    parts.navigation.go_to_room("dev")
    delay, on_timeout = parts.timers[-1]
    assert delay == room_navigation.SWITCH_TIMEOUT
    on_timeout()
    assert parts.view.composer.text == "h"


def test_the_close_of_a_room_with_a_draft_starts_the_grace_period(parts: NavigationParts) -> None:
    parts.open_room("dev")
    parts.session.remove_room("dev")
    parts.navigation.on_current_room_changed()
    assert not parts.navigation.is_switching
    parts.open_room("dev")
    parts.view.composer.set_text("half a sentence")
    parts.session.remove_room("dev")
    parts.navigation.on_current_room_changed()
    assert parts.navigation.is_switching
    assert parts.timers[-1][0] == ROOM_CLOSED_GRACE


def test_a_leave_of_the_current_room_waits_for_the_next_room(parts: NavigationParts) -> None:
    parts.open_room("dev")
    parts.navigation.leave_room(parts.session.rooms["tea"])
    assert not parts.navigation.is_switching
    parts.navigation.leave_room(parts.session.rooms["dev"])
    assert parts.requests.named("leave") == [("leave", "tea"), ("leave", "dev")]
    parts.session.remove_room("dev")
    parts.navigation.on_current_room_changed()
    assert not parts.navigation.is_switching


def test_the_switcher_opens_once_and_shows_the_selected_room(parts: NavigationParts) -> None:
    parts.open_room("dev")
    parts.navigation.open_switcher()
    parts.navigation.open_switcher()
    assert [type(dialog) for dialog, _ in parts.dialogs] == [RoomSwitcher]
    parts.close_dialog("tea")
    assert parts.session.current_room is parts.session.rooms["tea"]
    assert parts.focused == [parts.view.composer]
    parts.navigation.open_switcher()
    assert len(parts.dialogs) == 1
    parts.close_dialog(None)


def test_known_rooms_are_the_open_and_the_listed_rooms_once_each(parts: NavigationParts) -> None:
    rooms = [RoomSummary(name=name, topic="", members=1, last_seq=0) for name in ("tea", "garden")]
    parts.navigation.on_rooms_listed(rooms)
    assert parts.navigation.known_room_names == ["tea", "garden"]
