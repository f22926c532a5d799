"""Message navigation of the chat screen: search, jump to a day, return.

- Return position: a navigation stores its starting position. Esc returns there once.
- Cancellation: any other movement of the user (newest line, another room, sending a message) discards both the return
  position and the pending target.
"""

from dataclasses import dataclass
from datetime import date, datetime

from tui_chat.client.search_page import SearchPage
from tui_chat.session import date_parser
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.search_state import SearchPageRequest
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.strings import search as search_strings
from tui_chat.ui.app_services import app_of
from tui_chat.ui.screens.paste import PasteConfirmation
from tui_chat.ui.screens.search import SearchHitSelected, SearchScreen
from tui_chat.ui.server_link import ServerLink
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


class MessageNavigation(PasteConfirmation):
    """Chat view with message actions, room navigation, paste confirmation and message navigation."""

    def __init__(self, session: ChatSession, server_link: ServerLink) -> None:
        """Create the screen.

        Args:
            session: View model of the chat.
            server_link: Link to the server.
        """
        super().__init__(session, server_link)
        self._navigation_target: NavigationTarget | None = None
        self._return_position: tuple[RoomView, ScrollPosition] | None = None
        self._reached_room: RoomView | None = None

    def action_search(self) -> None:
        """Open the message search."""
        self.open_search("")

    def open_search(self, query: str) -> None:
        """Open the message search with an initial query."""
        view = self.session.current_room
        screen = SearchScreen(
            self._fetch_search_page,
            lambda room: self.session.find_room(room) is not None,
            view.name if view is not None else None,
            query,
        )
        app_of(self).push_screen(screen, self._on_search_closed)

    async def _fetch_search_page(self, request: SearchPageRequest) -> SearchPage:
        return await self.server_link.search(request.query, request.room, request.before)

    def _on_search_closed(self, hit: SearchHitSelected | None) -> None:
        self.composer.focus()
        if hit is not None:
            self.go_to_message(hit.room, hit.seq)

    def go_to_message(self, room: str, seq: int) -> None:
        """Navigate to a message, joining its room if necessary.

        Replaces a pending navigation. An earlier return position stays.
        """
        self._navigate(NavigationTarget(room, seq))

    def go_to_reply_target(self, view: RoomView, seq: int) -> None:
        """Navigate to the message `seq`. Esc returns to the reply, not to an earlier return position."""
        self._return_position = None
        self._navigate(NavigationTarget(view.name, seq, is_requested=view.transcript.find_message(seq) is not None))

    def go_to_day(self, text: str) -> str:
        """Navigate to the first message of a day in the current room. Return the error message, empty on success.

        A day without messages leads to a message of another day, with a status message.
        """
        view = self.session.current_room
        if view is None:
            return tr(chat_strings.NOT_IN_A_ROOM)
        day = date_parser.parse(text, datetime.now().astimezone().date())
        if day is None:
            return search_strings.invalid_date(text)
        self._navigate(NavigationTarget(view.name, None, day))
        return ""

    def _navigate(self, target: NavigationTarget) -> None:
        view = self.session.current_room
        if view is not None and self._return_position is None:
            self._return_position = (view, self.timeline.get_scroll_position())
        self._navigation_target, self._reached_room = target, None
        self.go_to_room(target.room)
        self.show_status(tr(search_strings.JUMPING_TO_MESSAGE))
        self._advance()

    def show_error(self, problem: str) -> None:
        """Show an error and cancel the pending navigation."""
        self._navigation_target = None
        super().show_error(problem)

    def on_context_loaded(self, room: str, seq: int | None) -> None:
        """Continue the pending navigation at the loaded message, or report that no message exists there.

        Results for other rooms, or without a pending navigation, are ignored.

        Args:
            room: Room name.
            seq: Sequence number of the message, None if there is none.
        """
        target = self._navigation_target
        if (
            target is None
            or not target.is_requested
            or self.session.find_room(target.room) is not self.session.find_room(room)
        ):
            return
        if seq is None:
            self._navigation_target = None
            self.show_error(
                tr(search_strings.ROOM_EMPTY if target.day is not None else search_strings.MESSAGE_UNAVAILABLE)
            )
        else:
            target.seq = seq
            self._advance()

    def draw_changes(self) -> None:
        """Draw the changes of the session, then continue a pending navigation."""
        super().draw_changes()
        if self._reached_room is not None and self._reached_room is not self.session.current_room:
            self.clear_return_position()
        self._advance()

    def _advance(self) -> None:
        target, view = self._navigation_target, self.session.current_room
        if (
            target is None
            or view is None
            or self.displayed_room is not view
            or view is not self.session.find_room(target.room)
        ):
            return
        if not target.is_requested:
            target.is_requested, self._reached_room = True, view
            if target.seq is not None:
                self.server_link.load_context(view.name, seq=target.seq)
            elif target.day is not None:
                self.server_link.load_context(view.name, ts=date_parser.start_of_day(target.day))
            return
        line = view.transcript.find_message(target.seq) if target.seq is not None else None
        if line is not None and self.timeline.scroll_to_key(line.key):
            self._finish_navigation(target, line)

    def _finish_navigation(self, target: NavigationTarget, line: MessageLine) -> None:
        self._navigation_target = None
        self.timeline.set_cursor(line.key)
        self.timeline.focus()
        self.status.show_error("")
        if target.day is not None:
            actual_day = TimeFormat().local_date(line.ts)
            if actual_day != target.day:
                self.show_status(search_strings.no_messages_on(target.day.isoformat(), actual_day > target.day))

    def action_leave_message_cursor(self) -> None:
        """Hide the message cursor and return from a navigation, if there was one."""
        self.timeline.action_hide_cursor()
        self.go_back()

    def go_back(self) -> bool:
        """Scroll to the return position, once. Return whether a return position was set.

        Shows the room of the position if needed. If that room was closed, nothing scrolls, and the result is True.
        """
        return_position = self._return_position
        self.clear_return_position()
        if return_position is None:
            return False
        view, position = return_position
        self.status.show_error("")
        self.timeline.set_cursor(None)
        if self.session.find_room(view.name) is view:
            if self.session.current_room is view:
                self.timeline.set_lines(view.transcript.lines, position)
            else:
                self.scroll_positions[view] = position
                self.session.show_room(view.name)
            self.draw_changes()
        return True

    def clear_return_position(self) -> None:
        """Discard the return position and the pending target."""
        self._return_position = self._navigation_target = self._reached_room = None
