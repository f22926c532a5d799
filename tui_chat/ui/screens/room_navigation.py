"""Room navigation of the chat screen: join, switch, leave.

- Pending switch: input after a room request belongs to that room and waits for it. If the switch fails or times out, or
  an open room is shown first, the waiting text moves into the composer and is not sent.
- Closed room: if the current room closes while its draft is not empty, input of the next `ROOM_CLOSED_GRACE` seconds
  also moves into the composer and is not sent.
"""

from collections.abc import Callable, Sequence

from textual.events import Key, Paste
from textual.timer import Timer

from tui_chat.client.events import Offline
from tui_chat.protocol import names
from tui_chat.protocol.responses import RoomSummary
from tui_chat.session import room_matcher
from tui_chat.session.room_view import RoomView
from tui_chat.session.server_link import ServerLink
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.input.inserted_text import pasted_text, typed_text
from tui_chat.ui.screens.chat_view import ChatView
from tui_chat.ui.screens.room_switcher import RoomSwitcher

SWITCH_TIMEOUT = 3.0  # seconds that input waits for a requested room

ROOM_CLOSED_GRACE = 1.0  # seconds after the close of the current room during which input is still meant for that room


class RoomNavigation:
    """Shows, joins and leaves rooms."""

    def __init__(
        self,
        server_link: ServerLink,
        view: ChatView,
        *,
        set_timer: Callable[[float, Callable[[], None]], Timer],
        drain_input: Callable[[], Sequence[Key | Paste]],
    ) -> None:
        self._server_link = server_link
        self._view = view
        self._set_timer = set_timer
        self._drain_input = drain_input
        self._listed_rooms: dict[str, RoomSummary] = {}
        self._switcher: RoomSwitcher | None = None
        self._switch_target: str | None = None  # canonical key; empty for any room
        self._switch_timer: Timer | None = None

    @property
    def is_switching(self) -> bool:
        """True while input waits for a requested room, or during the grace period after the close of a room."""
        return self._switch_target is not None

    @property
    def known_room_names(self) -> list[str]:
        """Names of the open and closed rooms, then of the rooms in the server's room lists; addresses are omitted."""
        session = self._view.session
        rooms = (*session.rooms.values(), *session.closed_rooms, *self._listed_rooms.values())
        return list(dict.fromkeys(room.name for room in rooms if not names.is_room_address(room.name)))

    def cancel_switch(self, room: str = "") -> None:
        """Cancel the pending switch and move the waiting text into the composer, without trailing newlines.

        Blank text is dropped. No effect without a pending switch, or during one to another room than `room`, if given.
        """
        if self._switch_target is None or (room and self._switch_target != names.canonical_key(room)):
            return
        self._end_switch()
        text = "".join(_inserted_text(item) for item in self._drain_input())
        if text.strip():
            self._view.return_to_composer(text.rstrip("\n"))

    def _begin_switch(self, room: str, timeout: float) -> None:
        """Begin a switch to the room with a canonical key, "" for any, in place of a pending one.

        Input waits until the end of the switch; after `timeout` seconds, `cancel_switch` is called.
        """
        self._end_switch()
        self._switch_target = room
        self._switch_timer = self._set_timer(timeout, self.cancel_switch)

    def _end_switch(self) -> None:
        """End the pending switch, if any, and stop its timer."""
        self._switch_target = None
        if self._switch_timer is not None:
            self._switch_timer.stop()
            self._switch_timer = None

    def on_current_room_changed(self) -> None:
        """Draw the new current room and end a pending switch to this room.

        Without a pending switch, the grace period `ROOM_CLOSED_GRACE` starts if the composer was not empty.
        """
        target, has_draft = self._switch_target, bool(self._view.composer.draft)
        self._view.draw_changes()
        view = self._view.session.current_room
        if target is None and has_draft:
            self._begin_switch("", ROOM_CLOSED_GRACE)
        elif target is not None and view is not None and target in ("", names.canonical_key(view.name)):
            self._end_switch()

    def go_to_room(self, room: str) -> None:
        """Show an open room and cancel a pending switch, or start to join a new room with the current nickname.

        Input waits for the end of the join, at most `SWITCH_TIMEOUT`. Without a connection, the current room stays,
        the join waits for the connection, and input of the next `ROOM_CLOSED_GRACE` seconds moves into the composer.
        """
        if self._view.session.find_room(room) is not None:
            self._view.session.show_room(room)
            self._view.draw_changes()
            self.cancel_switch()
        else:
            view = self._view.session.current_room
            is_offline = isinstance(self._view.session.connection_state, Offline)
            if is_offline:
                self._view.status.show_status(chat_strings.join_queued(room))
            self._begin_switch(names.canonical_key(room), ROOM_CLOSED_GRACE if is_offline else SWITCH_TIMEOUT)
            self._server_link.join(room, view.nick if view is not None else "", self._view.session.begin_switch())

    def go_to_next_unread(self) -> None:
        """Show the next room with mentions, otherwise the next unmuted one with unread messages; no effect without one.

        Closed rooms are included.
        """
        room = self._view.session.find_next_unread()
        if room is not None:
            self.go_to_room(room)

    def leave_room(self, view: RoomView) -> None:
        """Start to leave a room. For the current room, input waits for the next room, at most `SWITCH_TIMEOUT`."""
        if view is self._view.session.current_room:
            self._begin_switch("", SWITCH_TIMEOUT)
        self._server_link.leave(view.name)

    def on_rooms_listed(self, rooms: Sequence[RoomSummary]) -> None:
        """Merge a room list of the server into the known rooms, and update an open room switcher."""
        self._listed_rooms |= {names.canonical_key(summary.name): summary for summary in rooms}
        if self._switcher is not None:
            self._switcher.update_choices()

    def open_switcher(self, initial_query: str = "") -> None:
        """Open the room switcher with an initial query, and request the rooms of the server in the background.

        The selected room is opened as by `go_to_room`. No effect if the switcher is open.
        """
        if self._switcher is not None:
            return
        session = self._view.session
        self._switcher = RoomSwitcher(
            lambda text: room_matcher.rank_rooms(
                text,
                list(session.rooms.values()),
                session.current_room,
                self._listed_rooms.values(),
                session.closed_rooms,
            ),
            lambda query: self._server_link.list_rooms(query, requested_by_user=False),
            initial_query,
        )
        self._view.open_dialog(self._switcher, self._on_switcher_closed)

    def _on_switcher_closed(self, room: str | None) -> None:
        self._switcher = None
        if room is not None:
            self.go_to_room(room)


def _inserted_text(item: Key | Paste) -> str:
    """Return the text that this input would insert."""
    if isinstance(item, Paste):
        return pasted_text(item)
    return "\n" if item.key == "enter" else typed_text(item)
