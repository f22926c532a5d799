"""Room navigation of the chat screen: join, switch, leave.

- Pending switch: input after a room request belongs to that room and waits for it. If the switch fails or times out,
  the waiting text moves into the composer and is not sent.
- Closed room: if the current room closes while its draft is not empty, input of the next `ROOM_CLOSED_GRACE` seconds
  also moves into the composer and is not sent.
"""

from collections.abc import Sequence

from textual import on
from textual.events import Key, Paste
from textual.timer import Timer

from tui_chat.protocol import names, sanitize
from tui_chat.protocol.responses import RoomSummary
from tui_chat.session import room_matcher
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.room_view import RoomView
from tui_chat.ui.app_services import app_of, app_services
from tui_chat.ui.input.key_scopes import KeyScope
from tui_chat.ui.screens.message_actions import MessageActions
from tui_chat.ui.screens.room_switcher import RoomSwitcher
from tui_chat.ui.server_link import ServerLink
from tui_chat.ui.widgets.room_list import RoomList

SWITCH_TIMEOUT = 3.0
"""Seconds that input waits for a requested room."""

ROOM_CLOSED_GRACE = 1.0
"""Seconds after the close of the current room during which input is still meant for that room."""


class RoomNavigation(MessageActions):
    """Chat view with message actions and room navigation."""

    def __init__(self, session: ChatSession, server_link: ServerLink) -> None:
        """Create the screen.

        Args:
            session: View model of the chat.
            server_link: Link to the server.
        """
        super().__init__(session, server_link)
        self._listed_rooms: dict[str, RoomSummary] = {}
        self._switcher: RoomSwitcher | None = None
        self._switch_target: str | None = None  # canonical key; empty for any room
        self._switch_timer: Timer | None = None

    @property
    def is_switching(self) -> bool:
        """True while input waits for a requested room, or during the grace period after the close of a room."""
        return self._switch_target is not None

    def cancel_switch(self, room: str = "") -> None:
        """Cancel the pending switch and move the waiting text into the composer. Waiting global keys are redispatched.

        Args:
            room: Cancel only a switch to this room; empty for any.
        """
        if self._switch_target is None or (room and self._switch_target != names.canonical_key(room)):
            return
        self._end_switch()
        services, text = app_services(self), ""
        for item in services.input_sequencer.drain_pending():
            if isinstance(item, Key) and item.key in services.keymap.actions(KeyScope.GLOBAL):
                app_of(self).post_message(item)  # quit and help do not depend on the room
            text += _typed_text(item)
        if text.strip():
            self.return_to_composer(text.rstrip("\n"))

    def _begin_switch(self, room: str, timeout: float) -> None:
        self._end_switch()
        self._switch_target = room
        self._switch_timer = self.set_timer(timeout, self.cancel_switch)

    def _end_switch(self) -> None:
        self._switch_target = None
        if self._switch_timer is not None:
            self._switch_timer.stop()
            self._switch_timer = None

    def return_to_composer(self, text: str) -> None:
        """Insert unsent text into the composer."""
        raise NotImplementedError

    def on_current_room_changed(self) -> None:
        """Draw the new current room and end a matching switch.

        After an unrequested change, a non-empty draft starts the grace period for input.
        """
        target, view, has_draft = self._switch_target, self.session.current_room, bool(self.composer.draft)
        self.draw_changes()
        if target is None and has_draft:
            self._begin_switch("", ROOM_CLOSED_GRACE)
        elif target is not None and view is not None and target in ("", names.canonical_key(view.name)):
            self._end_switch()

    @property
    def listed_room_names(self) -> list[str]:
        """Room names from the server's room lists."""
        return [summary.name for summary in self._listed_rooms.values()]

    def go_to_room(self, room: str) -> None:
        """Show an open room, or join a new one.

        Input is held back until the join ends, at most `SWITCH_TIMEOUT`.
        """
        if self.session.find_room(room) is not None:
            self.session.show_room(room)
            self.draw_changes()
        else:
            view = self.session.current_room
            self._begin_switch(names.canonical_key(room), SWITCH_TIMEOUT)
            self.server_link.join(room, view.nick if view is not None else "")

    def leave_room(self, view: RoomView) -> None:
        """Leave a room. After a leave of the current room, input waits for the next room."""
        if view is self.session.current_room:
            self._begin_switch("", SWITCH_TIMEOUT)
        self.server_link.leave(view.name)

    def on_rooms_listed(self, rooms: Sequence[RoomSummary]) -> None:
        """Merge a room list of the server into the known rooms."""
        self._listed_rooms |= {names.canonical_key(summary.name): summary for summary in rooms}
        if self._switcher is not None:
            self._switcher.update_choices()

    def action_switch_room(self) -> None:
        """Open the room switcher."""
        self.open_switcher("")

    def open_switcher(self, initial_query: str) -> None:
        """Open the room switcher with an initial query. No effect if the switcher is open."""
        if self._switcher is not None:
            return
        switcher = self._switcher = RoomSwitcher(
            lambda text: room_matcher.rank_rooms(
                text, list(self.session.rooms.values()), self.session.current_room, self._listed_rooms.values()
            ),
            lambda query: self.server_link.list_rooms(query, requested_by_user=False),
            initial_query,
        )
        app_of(self).push_screen(switcher, self._on_switcher_closed)

    def _on_switcher_closed(self, room: str | None) -> None:
        self._switcher = None
        self.composer.focus()
        if room is not None:
            self.go_to_room(room)

    def action_step_room(self, offset: int) -> None:
        """Show the room `offset` positions further in the list."""
        self.session.cycle_room(offset)
        self.draw_changes()

    def action_show_room_number(self, number: int) -> None:
        """Show the room at a 1-based list position."""
        self.session.show_room_number(number)
        self.draw_changes()

    def action_next_unread(self) -> None:
        """Show the next room with unread messages, mentions first."""
        self.session.show_next_unread()
        self.draw_changes()

    @on(RoomList.RoomSelected)
    def _handle_room_selected(self, event: RoomList.RoomSelected) -> None:
        self.session.show_room(event.room)
        self.draw_changes()


def _typed_text(item: Key | Paste) -> str:
    """Return the text that this input would insert."""
    if isinstance(item, Paste):
        return sanitize.sanitize_body(item.text)
    if item.key == "enter":
        return "\n"
    return (item.character or "") if item.is_printable and not item.key.startswith("alt+") else ""
