"""Widgets of the chat screen: layout and drawing.

- Drawing: `draw_changes` draws all changes of the session, in a batched update of the parts in its screen delta.
- Viewed state: the current room counts as viewed while the terminal has focus, the chat screen is active and the
  timeline is at its bottom.
- Drafts: composer text belongs to the room in which the user typed it.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from tui_chat.client.events import Offline
from tui_chat.protocol.limits import MESSAGE_CHARACTERS
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.drafts import DraftManager
from tui_chat.session.i18n import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.screen_delta import DirtyPart
from tui_chat.session.settings.schema import ClientSettings, PaneVisibility
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.images.image_store import ImageStore
from tui_chat.ui.input.keys import KeyScope
from tui_chat.ui.timeline.virtual_list import ScrollPosition
from tui_chat.ui.timeline.widget import Timeline
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.key_bar import KeyBar
from tui_chat.ui.widgets.side_list import MemberList, RoomList
from tui_chat.ui.widgets.status import ChatHeader, StatusLine

TWO_PANE_WIDTH = 104  # minimum screen width for two side panes by default, in columns

ONE_PANE_WIDTH = 78  # minimum screen width for one side pane by default, in columns

PANE_WIDTH = 18  # width of a side pane in columns, as in side_list.tcss

MIN_TIMELINE_WIDTH = 20  # minimum width of the timeline in columns; takes precedence over open side panes

COMPOSING_SCOPES = (KeyScope.COMPOSER, KeyScope.CHAT, KeyScope.GLOBAL)
"""Active key scopes while the composer has focus."""


DialogResult = TypeVar("DialogResult")


class ChatView:
    """Widgets of the chat screen, and their state.

    Args:
        drafts: Storage of the composer state.
        images: Pictures of images in messages, None to show captions only.
        push_screen: Opens a screen, and calls a function with its result.
        is_active: Returns whether no other screen covers the chat screen.
        screen_width: Returns the width of the screen in columns.
        batch_update: Returns a context in which the screen is not repainted.
        set_window_title: Sets the window title of the terminal.
        set_interval: Calls a function repeatedly, at an interval in seconds.

    Attributes:
        session: View model of the chat.
        header: Line with room, topic and connection state.
        rooms: List of open rooms and closed rooms of the account.
        timeline: Messages of the current room.
        members: Members of the current room.
        status: Line for errors, progress and typing indicators.
        composer: Message input.
        key_bar: Footer with the active keys.
        focus: Moves the focus to a widget.
        displayed_room: Most recently drawn room, owner of the composer text.
        on_drawn: Called at the end of each `draw_changes`, even without changes.
        on_error: Called at the end of each `show_error`.
    """

    def __init__(
        self,
        session: ChatSession,
        drafts: DraftManager,
        composer: Composer,
        *,
        images: ImageStore | None = None,
        focus: Callable[[Widget], None],
        push_screen: Callable[[Screen[Any], Callable[[Any], None]], object],
        is_active: Callable[[], bool],
        screen_width: Callable[[], int],
        batch_update: Callable[[], AbstractContextManager[None]],
        set_window_title: Callable[[str], None],
        set_interval: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self.session = session
        self.header = ChatHeader()
        self.rooms = RoomList(id="rooms")
        self.timeline = Timeline(images=images)
        self.members = MemberList(id="members")
        self.status = StatusLine()
        self.composer = composer
        self.key_bar = KeyBar(*COMPOSING_SCOPES)
        self.displayed_room: RoomView | None = None
        self.on_drawn: Callable[[], None] = lambda: None
        self.on_error: Callable[[], object] = lambda: None
        self._drafts = drafts
        self.focus = focus
        self._push_screen = push_screen
        self._is_active = is_active
        self._screen_width = screen_width
        self._batch_update = batch_update
        self._set_window_title = set_window_title
        self._set_interval = set_interval
        self._scroll_positions: WeakKeyDictionary[RoomView, ScrollPosition] = WeakKeyDictionary()
        self._pane_overrides: dict[str, bool] = {}
        self._pane_settings: dict[str, PaneVisibility] = {}
        self._retry_countdown: Timer | None = None
        self._text_at_error = ""
        self._status_before_offline = ""

    def widgets(self) -> ComposeResult:
        """Yield the widgets of the screen."""
        yield self.header
        with Horizontal(id="main"):
            yield self.rooms
            with Vertical(id="conversation"):
                yield self.timeline
                yield self.status
                yield self.composer
            yield self.members
        yield self.key_bar

    def apply_settings(self, settings: ClientSettings) -> None:
        """Apply the settings to timeline, composer and side panes, and draw. Required before any other drawing.

        A changed pane setting discards the visibility from `toggle_pane`; other changes keep it.
        """
        self.timeline.set_columns(settings.clock, settings.nick_width)
        self.composer.paste_lines = settings.paste_lines
        self.composer.placeholder = tr(chat_strings.PLACEHOLDER_MESSAGE)
        panes: dict[str, PaneVisibility] = {"rooms": settings.room_list, "members": settings.member_list}
        if panes != self._pane_settings:
            self._pane_settings = panes
            self._pane_overrides.clear()
        self.layout()
        self.session.apply_settings()
        self.draw_changes()

    def draw_changes(self) -> None:
        """Draw the changes of the session, update the viewed state, and draw the resulting changes.

        Then updates the hint of the compose mode, saves a changed read marker and calls `on_drawn`. No effect before
        `apply_settings`.
        """
        if not self._pane_settings:
            return
        self._draw_pending_changes()
        self.session.set_viewed(self.session.has_focus and self._is_active() and self.timeline.is_at_bottom)
        self._draw_pending_changes()
        view = self.session.current_room
        mode = view.compose_mode if view is not None else None
        self.status.compose_hint = chat_strings.compose_hint(mode.kind, mode.quote) if mode is not None else ""
        if view is not None:
            self._drafts.save_read_marker(view)
        self.on_drawn()

    def _draw_pending_changes(self) -> None:
        """Draw the changed parts of the screen in one update. No effect without changes."""
        changes = self.session.pop_delta()
        if not changes:
            return
        view = self.session.current_room
        with self._batch_update():
            if DirtyPart.ROOM in changes.parts:
                self._draw_room(view)
            elif DirtyPart.TIMELINE in changes.parts and view is not None:
                self.timeline.set_lines(view.transcript.lines, self.timeline.get_scroll_position())
            elif changes.splices:
                self.timeline.splice_many(changes.splices)
            if DirtyPart.ROOM_LIST in changes.parts:
                rooms = list(self.session.rooms.values())
                self.rooms.set_rooms(rooms, self.session.closed_rooms, view, self.session.is_muted)
            if DirtyPart.MEMBER_LIST in changes.parts:
                if view is None:
                    self.members.set_members((), 0, "")
                else:
                    self.members.set_members(view.members, view.member_count, view.member_id)
            if changes.parts & (DirtyPart.ROOM_LIST | DirtyPart.MEMBER_LIST | DirtyPart.HEADER):
                self.layout()
            if DirtyPart.STATUS in changes.parts:
                self.status.typing_nicks = tuple(view.typing_nicks) if view else ()

    def _draw_room(self, view: RoomView | None) -> None:
        """Save draft and scroll position of the displayed room, hide error and status, and display another room.

        The scroll position, draft and input history of that room are restored. For None, timeline and composer keep
        their content.
        """
        if self.displayed_room is not None:
            self.save_draft()
            self._scroll_positions[self.displayed_room] = self.timeline.get_scroll_position()
        self.displayed_room = view
        self.status.show_status("")
        if view is not None:
            self.timeline.set_lines(view.transcript.lines, self._scroll_positions.get(view))
            self.composer.sent_history = view.input_history
            self.composer.set_text(view.draft)

    def show_at(self, view: RoomView, position: ScrollPosition) -> None:
        """Make an open room current, show the position in its timeline, and draw."""
        if view is self.session.current_room:
            self.timeline.set_lines(view.transcript.lines, position)
        else:
            self._scroll_positions[view] = position
            self.session.show_room(view.name)
        self.draw_changes()

    def _draw_header(self) -> None:
        """Draw header and window title; while offline, repeat this every second.

        At the end of the offline state, hide a status or error text that appeared during that state, and permit
        repeated requests of the timeline.
        """
        view, state = self.session.current_room, self.session.connection_state
        if isinstance(state, Offline) and self._retry_countdown is None:
            self._status_before_offline = self.status.shown_text
            self._retry_countdown = self._set_interval(1.0, self._draw_header)
        elif not isinstance(state, Offline) and self._retry_countdown is not None:
            self._retry_countdown.stop()
            self._retry_countdown = None
            self.timeline.reset_requests()
            if self.status.shown_text != self._status_before_offline:
                self.status.show_status("")
        room_name = view.title if view else ""
        rooms = list(enumerate(self.session.rooms.values(), 1))
        unmuted = [room for _, room in rooms if not self.session.is_muted(room.name)]
        unread, mentions = sum(room.unread_count for room in unmuted), sum(room.mention_count for room in unmuted)
        self._set_window_title(chat_strings.window_title(room_name, unread, mentions))
        # List position and unread count of each room with unread messages; `@` marks mentions.
        unread_summary = " ".join(
            f"{number}:{'@' if room.mention_count else ''}{room.unread_count:,}"
            for number, room in rooms
            if room.mention_count or (room.unread_count and not self.session.is_muted(room.name))
        )
        self.header.set_content(
            room_name,
            view.topic if view else "",
            chat_strings.member_count(view.member_count) if view and view.members and not self.members.display else "",
            "" if self.rooms.display else unread_summary,
            state,
            account=view.account if view else "",
            retry_in=state.retry_at - time.monotonic() if isinstance(state, Offline) else 0.0,
            unsent=self.session.pending_count,
        )

    def layout(self) -> None:
        """Show or hide the side panes by width, settings and `toggle_pane`; draw header and title (`_draw_header`).

        With the setting `auto`, a single room hides the room list, and a basic server the member list.
        """
        width, view = self._screen_width(), self.session.current_room
        has_several_rooms = len(self.session.rooms) + len(self.session.closed_rooms) > 1
        show_rooms = has_several_rooms and width >= ONE_PANE_WIDTH
        is_wide = width >= (TWO_PANE_WIDTH if has_several_rooms else ONE_PANE_WIDTH)
        show_members = is_wide and (view is None or not view.room.is_basic_server)
        max_panes = max(0, (width - MIN_TIMELINE_WIDTH) // PANE_WIDTH)
        self.rooms.display = self._is_pane_enabled("rooms", show_rooms) and max_panes >= 1
        self.members.display = self._is_pane_enabled("members", show_members) and max_panes >= 1 + self.rooms.display
        self._draw_header()

    def _is_pane_enabled(self, pane: str, auto_visible: bool) -> bool:
        """Return whether a pane is on: by `toggle_pane`, else by its setting; `auto_visible` decides for `auto`."""
        setting = self._pane_settings.get(pane, "auto")
        return self._pane_overrides.get(pane, auto_visible if setting == "auto" else setting == "always")

    def toggle_pane(self, pane: Widget) -> None:
        """Toggle the room list or the member list. A screen that is too narrow keeps the pane hidden.

        The setting of the pane stays.
        """
        self._pane_overrides[pane.id or ""] = not pane.display
        self.layout()

    def open_dialog(self, dialog: Screen[DialogResult], on_closed: Callable[[DialogResult | None], None]) -> None:
        """Open a dialog. After its end, focus the composer and call `on_closed` with the result."""

        def focus_composer(result: DialogResult | None) -> None:
            self.focus(self.composer)
            on_closed(result)

        self._push_screen(dialog, focus_composer)

    def show_error(self, problem: str) -> None:
        """Show an error in the status line and call `on_error`.

        The next composer text that is not empty and differs from the current one hides the error.
        """
        self._text_at_error = self.composer.text
        self.status.show_error(problem)
        self.on_error()

    def return_to_composer(self, text: str) -> None:
        """Insert unsent text at the cursor of the composer and keep the current error visible."""
        self.composer.insert_text(text)
        self._text_at_error = self.composer.text

    def save_draft(self) -> None:
        """Save the composer text as draft of the displayed room; during a history search, the text before it."""
        if self.displayed_room is not None:
            self._drafts.save(self.displayed_room, self.composer.draft)

    def on_text_changed(self) -> None:
        """Save the draft, and update completion candidates and length warning for the changed composer text.

        A non-empty text other than that of the latest error hides error and status text. The warning appears above 90 %
        of `MESSAGE_CHARACTERS`.
        """
        text = self.composer.text
        self.save_draft()
        self.status.show_candidates(self.composer.active_completion)
        if text and text != self._text_at_error:
            self.status.show_status("")
        self.status.length_warning = (
            tr("{count:,} of {limit:,} characters", count=len(text), limit=MESSAGE_CHARACTERS)
            if len(text) > MESSAGE_CHARACTERS * 0.9
            else ""
        )
