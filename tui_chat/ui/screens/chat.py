"""The chat screen: turns keys into what the session and the connection do."""

import time
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import TextArea

from server.protocol.limits import MESSAGE_CHARACTERS
from tui_chat.client import address
from tui_chat.session import commands as command_list
from tui_chat.session import words
from tui_chat.session.completion import Completion, complete
from tui_chat.session.lines import UnreadLine
from tui_chat.session.session import ChatSession
from tui_chat.session.settings import ClientSettings
from tui_chat.session.writing import ComposeKind
from tui_chat.ui import commands, keys
from tui_chat.ui.app_of import app_of
from tui_chat.ui.connection import Connection
from tui_chat.ui.screens.bare import LINES_MAX, BareScreen
from tui_chat.ui.screens.chat_search import SearchActions
from tui_chat.ui.screens.chat_view import WRITING
from tui_chat.ui.settings_app import settings_app
from tui_chat.ui.widgets.composer import Composer
from tui_chat.ui.widgets.timeline.messages import (
    FollowChanged,
    GapRequested,
    LinkClicked,
    OlderMessagesRequested,
)

TYPING_AGAIN = 3.0
"""Seconds after which others are told once more that you type."""


class ChatScreen(SearchActions):
    """The chat screen with all that one can do on it.

    Attributes:
        connection: The server.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings(keys.Place.CHAT)]

    class LeaveAsked(Message):
        """`/quit` was typed."""

    class HelpAsked(Message):
        """`/help` was typed."""

    @dataclass
    class ServerAsked(Message):
        """Another server is wanted.

        Attributes:
            typed: Its address, as it was typed; it is one.
        """

        typed: str

    @dataclass
    class SettingAsked(Message):
        """A setting is to be changed.

        Attributes:
            name: Which.
            value: As `settings.parse` gives it, None for the usual one.
        """

        name: str
        value: object

    def __init__(self, session: ChatSession, connection: Connection) -> None:
        """Make it.

        Args:
            session: What there is to show.
            connection: The server.
        """
        super().__init__(session, connection)
        self._typing_told = 0.0
        self._refused_text = ""

    # Writing.

    def submit(self, written: str) -> None:
        """Say what was written, or do the command that it is; what is refused comes back."""
        text = written.strip("\n")
        if not text.strip():
            return
        view = self.session.current_room
        writing = view.compose_mode if view is not None else None
        refused = self.run_typed(text)
        if refused:
            self._refused_text = written
            self.composer.write(written)
            self.problem(refused)
        elif writing is None or writing.kind is ComposeKind.REPLY:
            self._remember(text)
        self._typing_told = 0.0

    def not_sent(self, text: str) -> None:
        """Put this into the composer; what is said above it stays there."""
        self.composer.add(text)
        self._refused_text = self.composer.text

    def _remember(self, text: str) -> None:
        """This was sent, and is found again with Up and Ctrl+R."""
        view = self.session.current_room
        if view is not None:
            view.input_history.add(text)
            self.connection.keep_sent(view.name, text)

    def run_typed(self, text: str) -> str:
        """Say it, or do the command that it is.

        Returns:
            Why it cannot be done, in one sentence; empty when it is done or on its way.
        """
        match command_list.parse(text):
            case command_list.ParseError(problem):
                return problem
            case command_list.CommandCall() as call:
                refused = commands.run(call, self)
            case command_list.ChatText(said):
                refused = self.say(said)
        self.draw()
        return refused

    def run_chosen(self, text: str) -> None:
        """Do a command that was chosen and not typed; why not is said."""
        if refused := self.run_typed(text):
            self.problem(refused)

    def say(self, text: str) -> str:
        """Say something in the shown room, or what it was written for; why not, empty when it is on its way."""
        view = self.session.current_room
        if view is not None and view.compose_mode is not None:
            return self.written(view.compose_mode, text)
        refused = self.post(lambda room: self.connection.post(room, text))
        if not refused:
            self.action_bottom()
        return refused

    def say_in(self, text: str) -> str:
        """Say something that was not typed, as it is; why not, empty when it is on its way."""
        refused = self.say(text)
        if not refused:
            self._remember(f"/{text}" if text.startswith("/") else text)
        return refused

    @on(TextArea.Changed)
    def _changed(self) -> None:
        self.keep_draft()
        self.status.show_candidates(self.composer.completing)
        text = self.composer.text
        if text and text != self._refused_text:
            self.status.show_problem("")
        long = len(text) > MESSAGE_CHARACTERS * 0.9
        self.status.show_length(words.message_too_long(len(text), MESSAGE_CHARACTERS) if long else "")
        view = self.session.current_room
        if view is None or not self.composer.has_focus or not settings_app(self).settings.send_typing:
            return
        now = time.monotonic()
        if text and not text.startswith("/") and now - self._typing_told > TYPING_AGAIN:
            self._typing_told = now
            self.connection.typing(view.name, True)
        elif not text and self._typing_told:
            self._typing_told = 0.0
            self.connection.typing(view.name, False)

    def keep_draft(self) -> None:
        """What stands in the composer is the draft of the room that it was shown for, here and on disk."""
        view, text = self.shown, self.composer.draft
        if view is not None and (text, view.compose_mode) != (view.draft, view.saved_compose_mode):
            view.draft, view.saved_compose_mode = text, view.compose_mode
            self.connection.keep_draft(view.name, text, view.compose_mode)

    def keep_read(self) -> None:
        """How far the shown room was read is kept, so that the next start knows what is new."""
        view = self.session.current_room
        if view is not None and view.read_seq != view.saved_read_seq:
            view.saved_read_seq = view.read_seq
            self.connection.keep_read(view.name, view.read_seq)

    @on(Composer.Searching)
    def _searching(self, event: Composer.Searching) -> None:
        self.status.show_search(event.shown)
        self.key_bar.show(*((keys.Place.SEARCHING,) if event.shown else WRITING))

    @on(Composer.Refused)
    def _refused(self, event: Composer.Refused) -> None:
        self.problem(event.problem)

    def complete(self, before: str) -> Completion | None:
        """What the text before the caret may become."""
        view = self.session.current_room
        rooms = [*(room.name for room in self.session.rooms.values()), *self.known_rooms]
        return complete(before, view.other_nicks if view else (), list(dict.fromkeys(rooms)))

    def write(self, text: str) -> None:
        """Put a text into the composer."""
        self.composer.write(text)
        self.composer.focus()

    def clear_line(self) -> bool:
        """Take away what is being written; False when there was nothing."""
        if self.composer.searching:
            self.composer.action_search_leave()
            return True
        if self.stop_writing():
            return True
        if not self.composer.text:
            return False
        self.composer.clear()
        undo = settings_app(self).keymap.shown("undo")
        self.told(words.input_cleared(undo) if undo else "")
        return True

    # Reading.

    def action_page_up(self) -> None:
        """Scroll up."""
        self.timeline.action_page_up()

    def action_page_down(self) -> None:
        """Scroll down."""
        self.timeline.action_page_down()

    def action_top(self) -> None:
        """Scroll to the first line that is loaded."""
        self.timeline.action_to_top()

    @on(Composer.BottomWanted)
    def action_bottom(self) -> None:
        """Scroll to the newest line."""
        self.forget_way_back()
        self.timeline.action_to_bottom()

    def action_escape(self) -> None:
        """Leave an answer or a change; else back to where you were before a search; else to the newest line."""
        if not self.stop_writing() and not self.go_back():
            self.action_bottom()

    def action_bare(self) -> None:
        """Show nothing but what was said."""
        app_of(self).push_screen(BareScreen(self.timeline.export_text(LINES_MAX)))

    def action_unread(self) -> None:
        """Scroll to the first unread line."""
        self.timeline.scroll_to_key(UnreadLine().key)

    @on(FollowChanged)
    def _at_bottom(self) -> None:
        self.draw()

    @on(OlderMessagesRequested)
    def _older_wanted(self) -> None:
        if self.session.current_room is not None:
            self.connection.load_older(self.session.current_room.name)

    @on(GapRequested)
    def _gap_wanted(self, event: GapRequested) -> None:
        if self.session.current_room is not None:
            self.connection.fill(self.session.current_room.name, event.after, oldest_first=event.from_above)

    @on(LinkClicked)
    def _link_clicked(self, event: LinkClicked) -> None:
        self.show_links([event.url])

    # What a command asks of the app.

    @property
    def held(self) -> ClientSettings:
        """The settings in force."""
        return settings_app(self).settings

    def answer(self, sentence: str) -> None:
        """Say what a command asked for, in the room."""
        self.session.add_notice(sentence)

    def set_setting(self, name: str, value: object) -> None:
        """Set what the person wants set, now and for later."""
        self.post_message(self.SettingAsked(name, value))

    def change_server(self, typed: str) -> str:
        """Go to another server; why not, empty when that begins."""
        try:
            address.parse_address(typed)
        except ValueError as fault:
            return str(fault)
        self.post_message(self.ServerAsked(typed))
        return ""

    def show_help(self) -> None:
        """Show keys and commands."""
        self.post_message(self.HelpAsked())

    def leave(self) -> None:
        """Quit."""
        self.post_message(self.LeaveAsked())

    def on_click(self, event: events.Click) -> None:
        """A click outside of the composer does not take the caret out of it."""
        if event.widget is not self.timeline or self.timeline.cursor_key is None:
            self.composer.focus()
