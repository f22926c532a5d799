"""Message navigation of the chat screen: search, jump to a day, return.

- Return position: a navigation stores its starting position, unless one is stored already. Esc returns there once.
- Highlight: a jump highlights its target. The keys of the message selection stay inactive.
- Cancellation: a move to the newest line or another room, or a sent message, discards both the return position and the
  pending target. An error discards the pending target, as does a selection, which a late result would end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from tui_chat.session import date_parser
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_titles import find_room_title
from tui_chat.session.room_view import RoomView
from tui_chat.session.search_state import SearchHit
from tui_chat.session.server_link import ServerLink
from tui_chat.session.strings import chat as chat_strings, search as search_strings
from tui_chat.ui.screens.chat_view import ChatView
from tui_chat.ui.screens.search import SearchScreen
from tui_chat.ui.timeline.decoration import TimeFormat
from tui_chat.ui.timeline.virtual_list import ScrollPosition


@dataclass(slots=True)
class NavigationTarget:
    """Target of a navigation.

    Attributes:
        room: Room name.
        seq: Sequence number of the message, None until known.
        day: Requested day, None if a message was requested.
        is_requested: True if the messages around the target were requested or need no request.
    """

    room: str
    seq: int | None
    day: date | None = None
    is_requested: bool = False


class MessageNavigation:
    """Navigation to search hits, replied-to messages and days, and back."""

    def __init__(
        self,
        server_link: ServerLink,
        view: ChatView,
        go_to_room: Callable[[str], None],
    ) -> None:
        self._server_link = server_link
        self._view = view
        self._go_to_room = go_to_room
        self._target: NavigationTarget | None = None
        self._return_position: tuple[RoomView, ScrollPosition] | None = None
        self._reached_room: RoomView | None = None

    def open_search(self, query: str = "") -> None:
        """Open the message search, which starts with the query. A selected hit starts the navigation to its message."""
        view = self._view.session.current_room
        screen = SearchScreen(
            lambda request: self._server_link.search(request.query, request.room, request.cursor),
            lambda room: self._view.session.find_room(room) is not None,
            partial(find_room_title, self._view.session),
            view.name if view is not None else None,
            query,
        )
        self._view.open_dialog(screen, self._on_search_closed)

    def _on_search_closed(self, hit: SearchHit | None) -> None:
        if hit is not None:
            self._navigate(NavigationTarget(hit.room, hit.seq))

    def go_to_reply_target(self, view: RoomView, seq: int) -> None:
        """Start the navigation to the message `seq`. Esc returns to the reply, not to an earlier return position."""
        self._return_position = None
        self._navigate(NavigationTarget(view.name, seq, is_requested=view.transcript.find_message(seq) is not None))

    def go_to_day(self, text: str) -> str:
        """Start the navigation to the first message of a day in the current room.

        Without messages on that day, the target is the next later message, otherwise the newest one, with a status
        message.

        Returns:
            Error message for an unknown date or without a room, otherwise empty. Later errors appear in the status
            line.
        """
        view = self._view.session.current_room
        if view is None:
            return tr(chat_strings.NOT_IN_A_ROOM)
        day = date_parser.parse(text, datetime.now().astimezone().date())
        if day is None:
            return search_strings.invalid_date(text)
        self._navigate(NavigationTarget(view.name, None, day))
        return ""

    def _navigate(self, target: NavigationTarget) -> None:
        """Replace a pending navigation. Joins the room if necessary; an earlier return position stays."""
        view = self._view.session.current_room
        if view is not None and self._return_position is None:
            self._return_position = (view, self._view.timeline.get_scroll_position())
        self._target = self._reached_room = None
        self._go_to_room(target.room)
        self._view.status.show_status(tr("Jumping to the message…"))
        self._target = target
        self._advance()

    def cancel(self) -> bool:
        """Discard the pending target, and return whether one was pending. The return position stays."""
        is_pending, self._target = self._target is not None, None
        return is_pending

    def on_context_loaded(self, room: str, seq: int | None) -> None:
        """Continue the pending navigation at the loaded message, or end it with an error in the status line.

        The navigation remains pending until the timeline of the current room contains the message. The return position
        stays. Results for other rooms, or without a pending request, are ignored. A `seq` of None means no message.
        """
        target = self._target
        if (
            target is None
            or not target.is_requested
            or self._view.session.find_room(target.room) is not self._view.session.find_room(room)
        ):
            return
        if seq is not None:
            target.seq = seq
            self._advance()
        else:
            self._target = None
            self._view.show_error(
                tr("This message no longer exists.") if target.day is None else tr(search_strings.ROOM_EMPTY)
            )

    def on_drawn(self) -> None:
        """Continue a pending navigation.

        A change from the room of the target to another room discards the return position and a pending target.
        """
        if self._reached_room is not None and self._reached_room is not self._view.session.current_room:
            self.clear_return_position()
        self._advance()

    def _advance(self) -> None:
        """Request the messages around the target once, even if loaded; scroll to a loaded target and finish.

        No effect without a pending target, or while another room is current.
        """
        target, view = self._target, self._view.session.current_room
        if target is None or view is None or view is not self._view.session.find_room(target.room):
            return
        self._reached_room = view
        if not target.is_requested:
            target.is_requested = True
            if target.seq is not None:
                self._server_link.load_context(view.name, seq=target.seq)
            elif target.day is not None:
                self._server_link.load_context(view.name, ts=date_parser.start_of_day(target.day))
        line = view.transcript.find_message(target.seq) if target.seq is not None else None
        if line is not None and self._view.timeline.scroll_to_key(line.key):
            self._finish(target, line)

    def _finish(self, target: NavigationTarget, line: MessageLine) -> None:
        """End the navigation: highlight the message and focus the composer.

        The status line reports a requested day without messages; otherwise the status text is hidden. The return
        position stays.
        """
        self._target = None
        self._view.timeline.highlight(line.key)
        self._view.focus(self._view.composer)
        day, actual_day, status = target.day, TimeFormat().local_date(line.ts), ""
        if day is not None and day != actual_day:
            status = search_strings.no_messages_on(day.isoformat(), actual_day > day)
        self._view.status.show_status(status)

    def go_back(self) -> bool:
        """Show the return position, once, without cursor and status text. Return whether a position was set.

        A pending target is discarded. If the room of the position was closed, nothing scrolls, and the result is True.
        """
        return_position = self._return_position
        self.clear_return_position()
        if return_position is None:
            return False
        view, position = return_position
        self._view.status.show_status("")
        self._view.timeline.set_cursor(None)
        if self._view.session.find_room(view.name) is view:
            self._view.show_at(view, position)
        return True

    def leave_message_cursor(self) -> None:
        """Hide the message cursor, or scroll to the newest line without one; then return from a navigation, if any."""
        self._view.timeline.action_hide_cursor()
        self.go_back()

    def go_to_newest(self) -> None:
        """Scroll to the newest line; discard the return position, the pending target, and cursor or highlight."""
        self.clear_return_position()
        self._view.timeline.set_cursor(None)
        self._view.timeline.action_to_bottom()

    def clear_return_position(self) -> None:
        """Discard the return position and the pending target."""
        self._return_position = self._target = self._reached_room = None
