"""The chat screen: draws what the session says has changed, and turns keys into what the session does.

Rule 1  It draws only in `draw`, in one update, and only what the session says has changed.
Rule 2  A room is looked at while the terminal has the focus, this screen is on
        top and the timeline is at its bottom.
Rule 3  What is written stays with the room it was written in.
"""

import time
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import TextArea

from server.protocol.errors import ChatError
from server.protocol.limits import MESSAGE_CHARACTERS
from tui_chat.client.events import Offline
from tui_chat.session import commands as command_list
from tui_chat.session import words
from tui_chat.session.completion import Completion, complete
from tui_chat.session.lines import MessageLine, UnreadLine
from tui_chat.session.room_view import RoomView
from tui_chat.session.session import Part, Session
from tui_chat.ui import commands, keys, themes
from tui_chat.ui.app_of import app_of
from tui_chat.ui.connection import Connection
from tui_chat.ui.links import open_link
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.key_bar import KeyBar
from tui_chat.ui.widgets.members import MemberList
from tui_chat.ui.widgets.room_timeline import RoomTimeline
from tui_chat.ui.widgets.rooms import RoomList
from tui_chat.ui.widgets.status import Header, StatusLine
from tui_chat.ui.widgets.timeline.line_view import Position
from tui_chat.ui.widgets.timeline.messages import (
    AtBottom,
    Chosen,
    GapWanted,
    LinkClicked,
    OlderWanted,
    Picked,
    RetryWanted,
)

TYPING_AGAIN = 3.0
"""Seconds after which others are told once more that you type."""

BOTH_PANES = 104
ONE_PANE = 78
"""Columns from which both side panes, or one, are shown unless a key said otherwise."""

PANE = 18
LEAST_TALK = 20
"""Columns of a side pane (chat.tcss), and those that the talk keeps whatever a key said."""


class ChatScreen(Screen[None], inherit_bindings=False):
    """Rooms, timeline, members, composer.

    Attributes:
        session: What there is to show.
        connection: The server.
    """

    CSS_PATH = ["chat.tcss", "../widgets/side_list.tcss"]  # noqa: RUF012 (as Textual declares it)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.CHAT)]
    AUTO_FOCUS = "Composer"

    class LeaveAsked(Message):
        """`/quit` was typed."""

    class HelpAsked(Message):
        """`/help` was typed."""

    @dataclass
    class ThemeAsked(Message):
        """Another theme is wanted.

        Attributes:
            theme: Its name, empty for the other one.
        """

        theme: str

    def __init__(self, session: Session, connection: Connection) -> None:
        """Make it.

        Args:
            session: What there is to show.
            connection: The server.
        """
        super().__init__()
        self.session = session
        self.connection = connection
        self._positions: dict[RoomView, Position] = {}
        self._shown: RoomView | None = None
        self._focused = True
        self._wanted: dict[str, bool] = {}
        self._typing_told = 0.0
        self._refused_text = ""
        self._countdown: Timer | None = None
        self._known_rooms: list[str] = []
        self._header = Header()
        self._rooms = RoomList(id="rooms")
        self._timeline = RoomTimeline()
        self._members = MemberList(id="members")
        self._status = StatusLine()
        self._composer = Composer(self._complete, self._submit)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._header
        with Horizontal(id="middle"):
            yield self._rooms
            with Vertical(id="talk"):
                yield self._timeline
                yield self._status
                yield self._composer
            yield self._members
        yield KeyBar(keys.footer((keys.Place.COMPOSER, keys.Place.CHAT, keys.Place.ANYWHERE)))

    def on_mount(self) -> None:
        """What the session has already is drawn at once."""
        self.watch(self._timeline, "new_below", self._status.show_below)
        self._fold()
        self.draw()

    # Drawing.

    def draw(self) -> None:
        """Draw what has changed, and then what being looked at has changed."""
        if self.is_mounted:
            self._draw_changes()
            self.session.look(self._focused and self.is_current and self._timeline.at_bottom)
            self._draw_changes()

    def _draw_changes(self) -> None:
        changes = self.session.take_changes()
        if not changes:
            return
        view = self.session.current
        with app_of(self).batch_update():
            if Part.ROOM in changes.parts:
                self._draw_room(view)
            elif changes.splices:
                self._timeline.splice_many(changes.splices)
            if Part.ROOMS in changes.parts:
                self._rooms.show(list(self.session.rooms.values()), view)
                self._fold()
            if Part.MEMBERS in changes.parts:
                self._members.show(view.members if view else (), view.member_id if view else "")
            if changes.parts & (Part.HEADER | Part.ROOMS):
                self._draw_header()
            if Part.STATUS in changes.parts:
                self._status.show_typing(view.typing if view else [])

    def _draw_room(self, view: RoomView | None) -> None:
        if self._shown is not None:
            self._shown.draft = self._composer.text
            self._positions[self._shown] = self._timeline.position()
        self._shown = view
        self._status.show_problem("")
        if view is not None:
            self._timeline.show(view.transcript.lines, self._positions.get(view))
            self._composer.sent = view.sent
            self._composer.write(view.draft)

    def _draw_header(self) -> None:
        view, state = self.session.current, self.session.state
        retry_in = 0.0
        if isinstance(state, Offline):
            retry_in = state.retry_at - time.monotonic()
            if self._countdown is None:
                self._countdown = self.set_interval(1.0, self._draw_header)
        elif self._countdown is not None:
            self._countdown.stop()
            self._countdown = None
            self._timeline.ask_again()
        others = "" if self._rooms.display else words.unread_elsewhere(self._elsewhere())
        self._header.show(view.name if view else "", view.topic if view else "", others, state, retry_in)

    def _elsewhere(self) -> list[tuple[int, int, bool]]:
        views = enumerate(self.session.rooms.values(), 1)
        return [(number, view.unread, view.mentions > 0) for number, view in views if view.unread]

    def _fold(self) -> None:
        width = app_of(self).size.width
        several = len(self.session.rooms) > 1
        rooms = several and width >= ONE_PANE
        members = width >= BOTH_PANES or (width >= ONE_PANE and not several)
        room_for = max(0, (width - LEAST_TALK) // PANE)
        self._rooms.display = self._wanted.get("rooms", rooms) and room_for >= 1
        self._members.display = self._wanted.get("members", members) and room_for >= 1 + self._rooms.display

    def terminal_focus(self, focused: bool) -> None:
        """The terminal has the focus now, or no longer."""
        self._focused = focused
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

    # Writing.

    def _submit(self, written: str) -> None:
        text = written.strip("\n")
        if not text.strip():
            return
        view = self.session.current
        refused = self.run_typed(text)
        if refused:
            self._refused_text = written
            self._composer.write(written)
            self.problem(refused)
        elif view is not None:
            view.sent.add(text)
        self._typing_told = 0.0

    def run_typed(self, text: str) -> str:
        """Say it, or do the command that it is.

        Returns:
            Why it cannot be done, in one sentence; empty when it is done or on its way.
        """
        match command_list.parse(text):
            case command_list.Wrong(problem):
                return problem
            case command_list.Call() as call:
                refused = commands.run(call, self)
            case command_list.Say(said):
                try:
                    outgoing = self.session.prepare(said)
                except ChatError as refusal:
                    return words.sentence(refusal.message)
                self.connection.send(outgoing)
                self._timeline.action_to_bottom()
                refused = ""
        self.draw()
        return refused

    @on(TextArea.Changed)
    def _changed(self) -> None:
        text = self._composer.text
        if text and text != self._refused_text:
            self._status.show_problem("")
        long = len(text) > MESSAGE_CHARACTERS * 0.9
        self._status.show_length(words.too_long(len(text), MESSAGE_CHARACTERS) if long else "")
        view = self.session.current
        if view is None or not self._composer.has_focus:
            return
        now = time.monotonic()
        if text and not text.startswith("/") and now - self._typing_told > TYPING_AGAIN:
            self._typing_told = now
            self.connection.typing(view.name, True)
        elif not text and self._typing_told:
            self._typing_told = 0.0
            self.connection.typing(view.name, False)

    @on(Composer.Refused)
    def _refused(self, event: Composer.Refused) -> None:
        self.problem(event.problem)

    def _complete(self, before: str) -> Completion | None:
        view = self.session.current
        rooms = [*(room.name for room in self.session.rooms.values()), *self._known_rooms]
        return complete(before, view.nicks if view else (), list(dict.fromkeys(rooms)))

    def problem(self, problem: str) -> None:
        """Say what is wrong, until something is typed."""
        self._status.show_problem(problem)

    def write(self, text: str) -> None:
        """Put a text into the composer."""
        self._composer.write(text)
        self._composer.focus()

    def clear_line(self) -> bool:
        """Take away what is being written; False when there was nothing."""
        if not self._composer.text:
            return False
        self._composer.clear()
        return True

    # Rooms.

    def join(self, room: str) -> None:
        """Go into a room, or show it when it is open."""
        if self.session.room(room) is not None:
            self.session.show(room)
        else:
            view = self.session.current
            self.connection.join(room, view.nick if view is not None else "")

    def rooms_listed(self, rooms: list[str]) -> None:
        """These rooms are known on the server."""
        self._known_rooms = rooms

    def action_step(self, by: int) -> None:
        """Show the next room, or the one before."""
        self.session.step(by)
        self.draw()

    def action_show_number(self, number: int) -> None:
        """Show a room by its place in the list."""
        self.session.show_number(number)
        self.draw()

    def action_activity(self) -> None:
        """Show the next room with something unread."""
        self.session.show_activity()
        self.draw()

    @on(RoomList.Chosen)
    def _room_chosen(self, event: RoomList.Chosen) -> None:
        self.session.show(event.room)
        self.draw()

    def action_toggle_rooms(self) -> None:
        """Show or hide the list of rooms."""
        self._wanted["rooms"] = not self._rooms.display
        self._fold()
        self._draw_header()

    def action_toggle_members(self) -> None:
        """Show or hide who is here."""
        self._wanted["members"] = not self._members.display
        self._fold()

    # Reading.

    def action_page_up(self) -> None:
        """Scroll up."""
        self._timeline.action_page_up()

    def action_page_down(self) -> None:
        """Scroll down."""
        self._timeline.action_page_down()

    def action_top(self) -> None:
        """Scroll to the first line that is loaded."""
        self._timeline.action_to_top()

    @on(Composer.BottomWanted)
    def action_bottom(self) -> None:
        """Scroll to the newest line."""
        self._timeline.action_to_bottom()

    def action_unread(self) -> None:
        """Scroll to the first unread line."""
        self._timeline.scroll_to_key(UnreadLine().key)

    @on(AtBottom)
    def _at_bottom(self) -> None:
        self.draw()

    @on(OlderWanted)
    def _older_wanted(self) -> None:
        if self.session.current is not None:
            self.connection.load_older(self.session.current.name)

    @on(GapWanted)
    def _gap_wanted(self, event: GapWanted) -> None:
        if self.session.current is not None:
            self.connection.fill(self.session.current.name, event.after)

    @on(LinkClicked)
    def _link_clicked(self, event: LinkClicked) -> None:
        self._status.show_problem(open_link(event.url, app_of(self)))

    # Picking a message.

    def action_pick(self) -> None:
        """Put the cursor on the last message in view."""
        self._timeline.action_pick()
        if self._timeline.picked is not None:
            self._timeline.focus()

    @on(Picked)
    def _picked(self, event: Picked) -> None:
        if event.key is None:
            self._composer.focus()

    @on(Chosen)
    @on(RetryWanted)
    def _retry(self, event: Chosen | RetryWanted) -> None:
        outgoing = self.session.retry(event.key)
        if outgoing is not None:
            self.connection.send(outgoing)
            self.draw()

    def action_copy_picked(self) -> None:
        """Copy the picked message."""
        line = self._picked_line()
        if line is not None:
            app_of(self).copy_to_clipboard(line.text)
            self._status.show_problem(words.COPIED)
            self._timeline.pick(None)

    def action_mention_picked(self) -> None:
        """Write to who said the picked message."""
        line = self._picked_line()
        if line is not None:
            self._timeline.pick(None)
            self._composer.add(f"{line.nick}: " if not self._composer.text else f"{line.nick} ")

    def action_take_back(self) -> None:
        """Take back what was not sent, to write it anew."""
        line = self._picked_line()
        text = self.session.discard(line.key) if line is not None else None
        if text is not None:
            self._timeline.pick(None)
            self._composer.add(text)
            self.draw()

    def _picked_line(self) -> MessageLine | None:
        key = self._timeline.picked
        line = next((line for line in self._timeline.lines if line.key == key), None)
        return line if isinstance(line, MessageLine) else None

    # What a command asks of the app.

    def change_theme(self, theme: str) -> bool:
        """Take another theme; False when there is none of that name."""
        if theme and theme not in themes.BY_WORD:
            return False
        self.post_message(self.ThemeAsked(theme))
        return True

    def show_help(self) -> None:
        """Show keys and commands."""
        self.post_message(self.HelpAsked())

    def leave(self) -> None:
        """Quit."""
        self.post_message(self.LeaveAsked())

    def on_click(self, event: events.Click) -> None:
        """A click outside of the composer does not take the caret out of it."""
        if event.widget is not self._timeline or self._timeline.picked is None:
            self._composer.focus()
