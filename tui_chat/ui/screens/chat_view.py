"""Layout and drawing of the chat screen.

- Drawing: `draw_changes` draws all changes of the session, in a batched update of the parts in its screen delta.
- Viewed state: the current room counts as viewed while the terminal has focus, this screen is active and the timeline
  is at its bottom.
- Drafts: composer text belongs to the room in which the user typed it.
"""

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer

from tui_chat.client.events import Offline
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.commands.completion import Completion
from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.screen_delta import DirtyPart
from tui_chat.session.settings.schema import ClientSettings, PaneVisibility
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.app_services import app_of, app_services
from tui_chat.ui.input import keys
from tui_chat.ui.input.key_scopes import KeyScope
from tui_chat.ui.timeline.virtual_list import ScrollPosition
from tui_chat.ui.timeline.widget import Timeline
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.key_bar import KeyBar
from tui_chat.ui.widgets.member_list import MemberList
from tui_chat.ui.widgets.room_list import RoomList
from tui_chat.ui.widgets.status import ChatHeader, StatusLine


class RoomTimeline(Timeline, inherit_bindings=False):
    """Timeline of the current room with the key bindings of the message cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.textual_bindings(KeyScope.MESSAGE_CURSOR)]


TWO_PANE_WIDTH = 104
"""Minimum screen width for two side panes by default, in columns."""

ONE_PANE_WIDTH = 78
"""Minimum screen width for one side pane by default, in columns."""

PANE_WIDTH = 18
"""Width of a side pane in columns, as in chat.tcss."""

MIN_TIMELINE_WIDTH = 20
"""Minimum width of the timeline in columns; takes precedence over open side panes."""

COMPOSING_SCOPES = (KeyScope.COMPOSER, KeyScope.CHAT, KeyScope.GLOBAL)
"""Active key scopes while the composer has focus."""


class ChatView(Screen[None], inherit_bindings=False):
    """Base class of the chat screen: layout and drawing.

    Subclasses implement `complete`, `submit`, `send_verbatim`, `edit_last_message`, `save_draft` and
    `save_read_marker`.

    Attributes:
        session: View model of the chat.
        rooms: List of open rooms.
        timeline: Messages of the current room.
        members: Members of the current room.
        status: Line for errors, progress and typing indicators.
        composer: Message input.
        key_bar: Footer with the active keys.
        scroll_positions: Timeline positions of rooms displayed earlier.
        displayed_room: Most recently drawn room, owner of the composer text.
    """

    CSS_PATH = ["chat.tcss", "../widgets/side_list.tcss"]  # noqa: RUF012 (declared as in Textual)
    AUTO_FOCUS = "Composer"

    def __init__(self, session: ChatSession) -> None:
        """Create the screen.

        Args:
            session: View model of the chat.
        """
        super().__init__()
        self.session = session
        self.rooms = RoomList(id="rooms")
        self.timeline = RoomTimeline()
        self.members = MemberList(id="members")
        self.status = StatusLine()
        self.composer = Composer(self.complete, self.submit, self.edit_last_message, lambda: app_services(self).keymap)
        self.key_bar = KeyBar(*COMPOSING_SCOPES)
        self._header = ChatHeader()
        self.scroll_positions: dict[RoomView, ScrollPosition] = {}
        self.displayed_room: RoomView | None = None
        self._pane_overrides: dict[str, bool] = {}
        self._pane_settings: dict[str, PaneVisibility] = {}
        self._retry_countdown: Timer | None = None

    def complete(self, text_before_cursor: str) -> Completion | None:
        """Return the completion of the text before the cursor, None if there is none."""
        raise NotImplementedError

    def submit(self, raw_text: str) -> None:
        """Handle the text submitted with Enter."""
        raise NotImplementedError

    def send_verbatim(self, text: str) -> str:
        """Send text without command parsing. Return the error message, empty on success."""
        raise NotImplementedError

    def edit_last_message(self) -> bool:
        """Start an edit of the user's last message if possible. Return whether the key was handled."""
        raise NotImplementedError

    def show_compose_mode(self) -> None:
        """Show the compose mode of the current room in the status line."""
        mode = self.session.current_room.compose_mode if self.session.current_room is not None else None
        self.status.show_compose_mode(chat_strings.compose_hint(mode.kind, mode.quote) if mode is not None else "")

    def compose(self) -> ComposeResult:
        """Yield the widgets from top to bottom."""
        yield self._header
        with Horizontal(id="main"):
            yield self.rooms
            with Vertical(id="conversation"):
                yield self.timeline
                yield self.status
                yield self.composer
            yield self.members
        yield self.key_bar

    def on_mount(self) -> None:
        """Apply the settings and draw the initial state."""
        self.watch(self.timeline, "new_message_count", self.status.show_new_below)
        app_services(self).settings_changed.subscribe(self, self.apply_settings)
        self.apply_settings(app_services(self).settings)
        self.draw_changes()

    def apply_settings(self, settings: ClientSettings) -> None:
        """Apply the settings to timeline, composer and side panes.

        Changed pane settings discard the panes' manual visibility; other changes keep it.
        """
        self.timeline.set_columns(settings.clock, settings.nick_width)
        self.composer.paste_lines = settings.paste_lines
        self.composer.placeholder = tr(chat_strings.PLACEHOLDER_MESSAGE)
        panes: dict[str, PaneVisibility] = {"rooms": settings.room_list, "members": settings.member_list}
        if panes != self._pane_settings:
            self._pane_settings = panes
            self._pane_overrides.clear()
        self._layout_panes()
        self.session.apply_settings()
        self.draw_changes()

    def draw_changes(self) -> None:
        """Draw the changes of the session, update the viewed state, and draw the resulting changes.

        Saves a changed read marker too. No effect before the screen is mounted.
        """
        if self.is_mounted:
            self._draw_pending_changes()
            self.session.set_viewed(self.session.has_focus and self.is_active and self.timeline.is_at_bottom)
            self._draw_pending_changes()
            self.save_read_marker()

    def _draw_pending_changes(self) -> None:
        changes = self.session.pop_delta()
        if not changes:
            return
        view = self.session.current_room
        with app_of(self).batch_update():
            if DirtyPart.ROOM in changes.parts:
                self._draw_room(view)
            elif DirtyPart.TIMELINE in changes.parts and view is not None:
                self.timeline.set_lines(view.transcript.lines, self.timeline.get_scroll_position())
            elif changes.splices:
                self.timeline.splice_many(changes.splices)
            if DirtyPart.ROOM_LIST in changes.parts:
                self.rooms.set_rooms(list(self.session.rooms.values()), view, self.session.is_muted)
                self._layout_panes()
            if DirtyPart.MEMBER_LIST in changes.parts:
                self.members.set_members(view.members if view else (), view.member_id if view else "")
                self._layout_panes()
            if changes.parts & (DirtyPart.HEADER | DirtyPart.ROOM_LIST):
                self._draw_header()
            if DirtyPart.STATUS in changes.parts:
                self.show_compose_mode()
                self.status.show_typing(view.typing_nicks if view else [])

    def _draw_room(self, view: RoomView | None) -> None:
        if self.displayed_room is not None:
            self.save_draft()
            self.scroll_positions[self.displayed_room] = self.timeline.get_scroll_position()
        self.displayed_room = view
        self.status.show_error("")
        if view is not None:
            self.timeline.set_lines(view.transcript.lines, self.scroll_positions.get(view))
            self.composer.sent_history = view.input_history
            self.composer.set_text(view.draft)
        self.show_compose_mode()

    def save_draft(self) -> None:
        """Save the composer text as draft of the displayed room."""
        raise NotImplementedError

    def save_read_marker(self) -> None:
        """Save the read marker of the current room."""
        raise NotImplementedError

    def _draw_header(self) -> None:
        view, state = self.session.current_room, self.session.connection_state
        retry_in = 0.0
        if isinstance(state, Offline):
            retry_in = state.retry_at - time.monotonic()
            if self._retry_countdown is None:
                self._retry_countdown = self.set_interval(1.0, self._draw_header)
        elif self._retry_countdown is not None:
            self._retry_countdown.stop()
            self._retry_countdown = None
            self.timeline.reset_requests()
        self._update_window_title(view)
        unread_summary = "" if self.rooms.display else chat_strings.unread_elsewhere(self._unread_by_room())
        self._header.set_content(
            view.name if view else "",
            view.topic if view else "",
            unread_summary,
            state,
            retry_in=retry_in,
            unsent=self.session.pending_count,
        )

    def _update_window_title(self, view: RoomView | None) -> None:
        settings = app_services(self).settings
        unmuted_rooms = [room for room in self.session.rooms.values() if not settings.is_muted(room.name)]
        unread, mentions = (
            sum(room.unread_count for room in unmuted_rooms),
            sum(room.mention_count for room in unmuted_rooms),
        )
        app_services(self).terminal.set_window_title(
            chat_strings.window_title(view.name if view else "", unread, mentions)
        )

    def _unread_by_room(self) -> list[tuple[int, int, bool]]:
        """Return list position, unread count and mention flag of each room with unread messages."""
        numbered_views = enumerate(self.session.rooms.values(), 1)
        return [
            (number, view.unread_count, view.mention_count > 0)
            for number, view in numbered_views
            if view.mention_count or (view.unread_count and not self.session.is_muted(view))
        ]

    def _layout_panes(self) -> None:
        width = app_of(self).size.width
        has_several_rooms = len(self.session.rooms) > 1
        show_rooms = has_several_rooms and width >= ONE_PANE_WIDTH
        has_member_list = self.session.current_room is None or not self.session.current_room.is_basic_server
        show_members = has_member_list and (
            width >= TWO_PANE_WIDTH or (width >= ONE_PANE_WIDTH and not has_several_rooms)
        )
        max_panes = max(0, (width - MIN_TIMELINE_WIDTH) // PANE_WIDTH)
        self.rooms.display = self._is_pane_enabled("rooms", show_rooms) and max_panes >= 1
        self.members.display = self._is_pane_enabled("members", show_members) and max_panes >= 1 + self.rooms.display

    def _is_pane_enabled(self, pane: str, auto_visible: bool) -> bool:
        setting = self._pane_settings.get(pane, "auto")
        return self._pane_overrides.get(pane, auto_visible if setting == "auto" else setting == "always")

    def set_terminal_focus(self, focused: bool) -> None:
        """Set whether the terminal window has focus."""
        self.session.has_focus = focused
        self.draw_changes()

    def on_screen_resume(self) -> None:
        """Update the viewed state after the screen becomes active."""
        self.draw_changes()

    def on_screen_suspend(self) -> None:
        """Update the viewed state after another screen covers this one."""
        self.draw_changes()

    def on_resize(self) -> None:
        """Show or hide the side panes for the new width."""
        self._layout_panes()
        self._draw_header()

    def action_toggle_rooms(self) -> None:
        """Toggle the room list. A screen that is too narrow keeps the list hidden. The setting stays."""
        self._pane_overrides["rooms"] = not self.rooms.display
        self._layout_panes()
        self._draw_header()

    def action_toggle_members(self) -> None:
        """Toggle the member list."""
        self._pane_overrides["members"] = not self.members.display
        self._layout_panes()
