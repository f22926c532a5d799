"""What the chat screen shows: it draws what the session says has changed.

Rule 1  It draws only in `draw`, in one update, and only what the session says has changed.
Rule 2  A room is looked at while the terminal has the focus, this screen is on
        top and the timeline is at its bottom.
Rule 3  What is written stays with the room it was written in.
"""

import time

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer

from tui_chat.client.events import Offline
from tui_chat.session import words
from tui_chat.session.changes import DirtyPart
from tui_chat.session.completion import Completion
from tui_chat.session.language import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.session import ChatSession
from tui_chat.session.settings import ClientSettings, PanelVisibility
from tui_chat.ui import keys
from tui_chat.ui.app_of import app_of
from tui_chat.ui.settings_app import settings_app
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.key_bar import KeyBar
from tui_chat.ui.widgets.members import MemberList
from tui_chat.ui.widgets.room_timeline import RoomTimeline
from tui_chat.ui.widgets.rooms import RoomList
from tui_chat.ui.widgets.status import Header, StatusLine
from tui_chat.ui.widgets.timeline.line_view import ScrollPosition

BOTH_PANES = 104
ONE_PANE = 78
"""Columns from which both side panes, or one, are shown unless a key said otherwise."""

PANE = 18
LEAST_TALK = 20
"""Columns of a side pane (chat.tcss), and those that the talk keeps whatever a key said."""


WRITING = (keys.Place.COMPOSER, keys.Place.CHAT, keys.Place.ANYWHERE)
"""Whose keys matter while one writes."""


class ChatView(Screen[None], inherit_bindings=False):
    """Header, rooms, timeline, members, composer.

    Attributes:
        session: What there is to show.
        rooms: The list of open rooms.
        timeline: What was said in the shown room.
        members: Who is in it.
        status: The line above the composer.
        composer: Where one writes.
        key_bar: The keys that matter now.
        shown: The room that the composer's text belongs to: the one that was drawn last.
        positions: Where one was in the rooms that were shown before.
    """

    CSS_PATH = ["chat.tcss", "../widgets/side_list.tcss"]  # noqa: RUF012 (as Textual declares it)
    AUTO_FOCUS = "Composer"

    def __init__(self, session: ChatSession) -> None:
        """Make it.

        Args:
            session: What there is to show.
        """
        super().__init__()
        self.session = session
        self.rooms = RoomList(id="rooms")
        self.timeline = RoomTimeline()
        self.members = MemberList(id="members")
        self.status = StatusLine()
        self.composer = Composer(self.complete, self.submit, self.up, lambda: settings_app(self).keymap)
        self.key_bar = KeyBar(*WRITING)
        self._header = Header()
        self.positions: dict[RoomView, ScrollPosition] = {}
        self.shown: RoomView | None = None
        self._wanted: dict[str, bool] = {}
        self._usual_panes: dict[str, PanelVisibility] = {}
        self._countdown: Timer | None = None

    def complete(self, before: str) -> Completion | None:
        """What the text before the caret may become."""
        raise NotImplementedError

    def submit(self, written: str) -> None:
        """Take what was written when Enter is pressed."""
        raise NotImplementedError

    def say_in(self, text: str) -> str:
        """Say something that was not typed, as it is; why not, empty when it is on its way."""
        raise NotImplementedError

    def up(self) -> bool:
        """Up was pressed on the first row of what is written; whether that is done with."""
        raise NotImplementedError

    def show_writing(self) -> None:
        """Show what the text in the composer is for."""
        writing = self.session.current_room.compose_mode if self.session.current_room is not None else None
        self.status.show_writing(words.compose_hint(writing.kind, writing.about) if writing is not None else "")

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._header
        with Horizontal(id="middle"):
            yield self.rooms
            with Vertical(id="talk"):
                yield self.timeline
                yield self.status
                yield self.composer
            yield self.members
        yield self.key_bar

    def on_mount(self) -> None:
        """What the session has already is drawn at once."""
        self.watch(self.timeline, "new_message_count", self.status.show_below)
        settings_app(self).settings_changed.subscribe(self, self.take_settings)
        self.take_settings(settings_app(self).settings)
        self.draw()

    def take_settings(self, settings: ClientSettings) -> None:
        """Look as the settings say."""
        self.timeline.set_columns(settings.clock, settings.nick_width)
        self.composer.paste_lines = settings.paste_lines
        self.composer.placeholder = tr(words.PLACEHOLDER_MESSAGE)
        panes: dict[str, PanelVisibility] = {"rooms": settings.room_list, "members": settings.member_list}
        if panes != self._usual_panes:
            self._usual_panes = panes
            self._wanted.clear()
        self._fold()
        self.session.apply_settings()
        self.draw()

    def draw(self) -> None:
        """Draw what has changed, and then what being looked at has changed."""
        if self.is_mounted:
            self._draw_changes()
            self.session.set_viewed(self.session.has_focus and self.is_active and self.timeline.is_at_bottom)
            self._draw_changes()
            self.keep_read()

    def _draw_changes(self) -> None:
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
                self.rooms.show(list(self.session.rooms.values()), view, self.session.is_muted)
                self._fold()
            if DirtyPart.MEMBER_LIST in changes.parts:
                self.members.show(view.members if view else (), view.member_id if view else "")
                self._fold()
            if changes.parts & (DirtyPart.HEADER | DirtyPart.ROOM_LIST):
                self._draw_header()
            if DirtyPart.STATUS in changes.parts:
                self.show_writing()
                self.status.show_typing(view.typing_nicks if view else [])

    def _draw_room(self, view: RoomView | None) -> None:
        if self.shown is not None:
            self.keep_draft()
            self.positions[self.shown] = self.timeline.get_scroll_position()
        self.shown = view
        self.status.show_problem("")
        if view is not None:
            self.timeline.set_lines(view.transcript.lines, self.positions.get(view))
            self.composer.sent = view.input_history
            self.composer.write(view.draft)
        self.show_writing()

    def keep_draft(self) -> None:
        """What stands in the composer belongs to the room that it was shown for."""
        raise NotImplementedError

    def keep_read(self) -> None:
        """How far the shown room was read is kept."""
        raise NotImplementedError

    def _draw_header(self) -> None:
        view, state = self.session.current_room, self.session.connection_state
        retry_in = 0.0
        if isinstance(state, Offline):
            retry_in = state.retry_at - time.monotonic()
            if self._countdown is None:
                self._countdown = self.set_interval(1.0, self._draw_header)
        elif self._countdown is not None:
            self._countdown.stop()
            self._countdown = None
            self.timeline.reset_requests()
        self._show_title(view)
        others = "" if self.rooms.display else words.unread_elsewhere(self._elsewhere())
        self._header.show(
            view.name if view else "",
            view.topic if view else "",
            others,
            state,
            retry_in=retry_in,
            unsent=self.session.unsent_count,
        )

    def _show_title(self, view: RoomView | None) -> None:
        settings = settings_app(self).settings
        counted = [room for room in self.session.rooms.values() if not settings.is_muted(room.name)]
        unread, mentions = sum(room.unread_count for room in counted), sum(room.mention_count for room in counted)
        settings_app(self).show_title(words.window_title(view.name if view else "", unread, mentions))

    def _elsewhere(self) -> list[tuple[int, int, bool]]:
        views = enumerate(self.session.rooms.values(), 1)
        return [
            (number, view.unread_count, view.mention_count > 0)
            for number, view in views
            if view.mention_count or (view.unread_count and not self.session.is_muted(view))
        ]

    def _fold(self) -> None:
        width = app_of(self).size.width
        several = len(self.session.rooms) > 1
        rooms = several and width >= ONE_PANE
        told = self.session.current_room is None or not self.session.current_room.is_basic_server
        members = told and (width >= BOTH_PANES or (width >= ONE_PANE and not several))
        room_for = max(0, (width - LEAST_TALK) // PANE)
        self.rooms.display = self._is_wanted("rooms", rooms) and room_for >= 1
        self.members.display = self._is_wanted("members", members) and room_for >= 1 + self.rooms.display

    def _is_wanted(self, pane: str, fits: bool) -> bool:
        usual = self._usual_panes.get(pane, "auto")
        return self._wanted.get(pane, fits if usual == "auto" else usual == "always")

    def terminal_focus(self, focused: bool) -> None:
        """The terminal has the focus now, or no longer."""
        self.session.has_focus = focused
        self.draw()

    def on_screen_resume(self) -> None:
        """This screen is on top again."""
        self.draw()

    def on_screen_suspend(self) -> None:
        """Another screen is on top."""
        self.draw()

    def on_resize(self) -> None:
        """Panes fold away when it gets narrow."""
        self._fold()
        self._draw_header()

    def action_toggle_rooms(self) -> None:
        """Show or hide the list of rooms."""
        self._wanted["rooms"] = not self.rooms.display
        self._fold()
        self._draw_header()

    def action_toggle_members(self) -> None:
        """Show or hide who is here."""
        self._wanted["members"] = not self.members.display
        self._fold()
