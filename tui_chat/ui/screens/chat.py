"""The chat screen: turns keys into what the session and the connection do."""

import time
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import TextArea

from tui_chat.client.net import address
from tui_chat.protocol.limits import MESSAGE_CHARACTERS
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.commands import registry as command_list
from tui_chat.session.commands.completion import Completion, complete
from tui_chat.session.compose_mode import ComposeKind
from tui_chat.session.lines import UnreadLine
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.app_of import app_of
from tui_chat.ui.input import keys
from tui_chat.ui.screens import chat_commands
from tui_chat.ui.screens.chat_view import COMPOSING_SCOPES
from tui_chat.ui.screens.copy_mode import MAX_LINES, CopyModeScreen
from tui_chat.ui.screens.search_navigation import SearchNavigation
from tui_chat.ui.server_link import ServerLink
from tui_chat.ui.settings_app import settings_app
from tui_chat.ui.timeline.messages import (
    FollowChanged,
    GapRequested,
    LinkClicked,
    OlderMessagesRequested,
)
from tui_chat.ui.widgets.composer import Composer

TYPING_REPEAT_INTERVAL = 3.0
"""Seconds after which others are told once more that you type."""


class ChatScreen(SearchNavigation):
    """The chat screen with all that one can do on it.

    Attributes:
        connection: The server.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.textual_bindings(keys.KeyScope.CHAT)]

    class QuitRequested(Message):
        """`/quit` was typed."""

    class HelpRequested(Message):
        """`/help` was typed."""

    @dataclass
    class ServerChangeRequested(Message):
        """Another server is wanted.

        Attributes:
            typed: Its address, as it was typed; it is one.
        """

        address: str

    @dataclass
    class SettingChangeRequested(Message):
        """A setting is to be changed.

        Attributes:
            name: Which.
            value: As `settings.parse` gives it, None for the usual one.
        """

        name: str
        value: object

    def __init__(self, session: ChatSession, connection: ServerLink) -> None:
        """Make it.

        Args:
            session: What there is to show.
            connection: The server.
        """
        super().__init__(session, connection)
        self._typing_sent_at = 0.0
        self._rejected_text = ""

    # Writing.

    def submit(self, raw_text: str) -> None:
        """Say what was written, or do the command that it is; what is refused comes back."""
        text = raw_text.strip("\n")
        if not text.strip():
            return
        view = self.session.current_room
        mode = view.compose_mode if view is not None else None
        error = self.run_input(text)
        if error:
            self._rejected_text = raw_text
            self.composer.set_text(raw_text)
            self.show_error(error)
        elif mode is None or mode.kind is ComposeKind.REPLY:
            self._add_to_history(text)
        self._typing_sent_at = 0.0

    def return_to_composer(self, text: str) -> None:
        """Put this into the composer; what is said above it stays there."""
        self.composer.insert_text(text)
        self._rejected_text = self.composer.text

    def _add_to_history(self, text: str) -> None:
        """This was sent, and is found again with Up and Ctrl+R."""
        view = self.session.current_room
        if view is not None:
            view.input_history.add(text)
            self.connection.save_sent(view.name, text)

    def run_input(self, text: str) -> str:
        """Say it, or do the command that it is.

        Returns:
            Why it cannot be done, in one sentence; empty when it is done or on its way.
        """
        match command_list.parse(text):
            case command_list.ParseError(problem):
                return problem
            case command_list.CommandCall() as call:
                error = chat_commands.run_command(call, self)
            case command_list.ChatText(message):
                error = self.send_text(message)
        self.draw_changes()
        return error

    def run_palette_command(self, text: str) -> None:
        """Do a command that was chosen and not typed; why not is said."""
        if error := self.run_input(text):
            self.show_error(error)

    def send_text(self, text: str) -> str:
        """Say something in the shown room, or what it was written for; why not, empty when it is on its way."""
        view = self.session.current_room
        if view is not None and view.compose_mode is not None:
            return self.submit_compose(view.compose_mode, text)
        error = self.post(lambda room: self.connection.post(room, text))
        if not error:
            self.action_bottom()
        return error

    def send_verbatim(self, text: str) -> str:
        """Say something that was not typed, as it is; why not, empty when it is on its way."""
        error = self.send_text(text)
        if not error:
            self._add_to_history(f"/{text}" if text.startswith("/") else text)
        return error

    @on(TextArea.Changed)
    def _handle_text_changed(self) -> None:
        self.save_draft()
        self.status.show_candidates(self.composer.active_completion)
        text = self.composer.text
        if text and text != self._rejected_text:
            self.status.show_error("")
        is_near_limit = len(text) > MESSAGE_CHARACTERS * 0.9
        self.status.show_length_warning(
            chat_strings.message_too_long(len(text), MESSAGE_CHARACTERS) if is_near_limit else ""
        )
        view = self.session.current_room
        if view is None or not self.composer.has_focus or not settings_app(self).settings.send_typing:
            return
        now = time.monotonic()
        if text and not text.startswith("/") and now - self._typing_sent_at > TYPING_REPEAT_INTERVAL:
            self._typing_sent_at = now
            self.connection.send_typing(view.name, True)
        elif not text and self._typing_sent_at:
            self._typing_sent_at = 0.0
            self.connection.send_typing(view.name, False)

    def save_draft(self) -> None:
        """What stands in the composer is the draft of the room that it was shown for, here and on disk."""
        view, text = self.displayed_room, self.composer.draft
        if view is not None and (text, view.compose_mode) != (view.draft, view.saved_compose_mode):
            view.draft, view.saved_compose_mode = text, view.compose_mode
            self.connection.save_draft(view.name, text, view.compose_mode)

    def save_read_marker(self) -> None:
        """How far the shown room was read is kept, so that the next start knows what is new."""
        view = self.session.current_room
        if view is not None and view.read_seq != view.saved_read_seq:
            view.saved_read_seq = view.read_seq
            self.connection.save_read_marker(view.name, view.read_seq)

    @on(Composer.HistorySearchChanged)
    def _handle_history_search_changed(self, event: Composer.HistorySearchChanged) -> None:
        self.status.show_history_search(event.description)
        self.key_bar.set_scopes(*((keys.KeyScope.HISTORY_SEARCH,) if event.description else COMPOSING_SCOPES))

    @on(Composer.InputRejected)
    def _handle_input_rejected(self, event: Composer.InputRejected) -> None:
        self.show_error(event.problem)

    def complete(self, text_before_caret: str) -> Completion | None:
        """What the text before the caret may become."""
        view = self.session.current_room
        rooms = [*(room.name for room in self.session.rooms.values()), *self.listed_room_names]
        return complete(text_before_caret, view.other_nicks if view else (), list(dict.fromkeys(rooms)))

    def set_composer_text(self, text: str) -> None:
        """Put a text into the composer."""
        self.composer.set_text(text)
        self.composer.focus()

    def clear_input(self) -> bool:
        """Take away what is being written; False when there was nothing."""
        if self.composer.is_searching:
            self.composer.action_search_cancel()
            return True
        if self.leave_compose_mode():
            return True
        if not self.composer.text:
            return False
        self.composer.clear()
        undo_key = settings_app(self).keymap.display_key("undo")
        self.show_status(chat_strings.input_cleared(undo_key) if undo_key else "")
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

    @on(Composer.BottomRequested)
    def action_bottom(self) -> None:
        """Scroll to the newest line."""
        self.clear_return_position()
        self.timeline.action_to_bottom()

    def action_escape(self) -> None:
        """Leave an answer or a change; else back to where you were before a search; else to the newest line."""
        if not self.leave_compose_mode() and not self.go_back():
            self.action_bottom()

    def action_copy_mode(self) -> None:
        """Show nothing but what was said."""
        app_of(self).push_screen(CopyModeScreen(self.timeline.export_text(MAX_LINES)))

    def action_first_unread(self) -> None:
        """Scroll to the first unread line."""
        self.timeline.scroll_to_key(UnreadLine().key)

    @on(FollowChanged)
    def _handle_follow_changed(self) -> None:
        self.draw_changes()

    @on(OlderMessagesRequested)
    def _handle_older_requested(self) -> None:
        if self.session.current_room is not None:
            self.connection.load_older(self.session.current_room.name)

    @on(GapRequested)
    def _handle_gap_requested(self, event: GapRequested) -> None:
        if self.session.current_room is not None:
            self.connection.fill_gap(self.session.current_room.name, event.after, oldest_first=event.from_above)

    @on(LinkClicked)
    def _handle_link_clicked(self, event: LinkClicked) -> None:
        self.show_links([event.url])

    # What a command asks of the app.

    @property
    def settings(self) -> ClientSettings:
        """The settings in force."""
        return settings_app(self).settings

    def reply(self, text: str) -> None:
        """Say what a command asked for, in the room."""
        self.session.add_notice(text)

    def set_setting(self, name: str, value: object) -> None:
        """Set what the person wants set, now and for later."""
        self.post_message(self.SettingChangeRequested(name, value))

    def change_server(self, server: str) -> str:
        """Go to another server; why not, empty when that begins."""
        try:
            address.parse_address(server)
        except ValueError as error:
            return str(error)
        self.post_message(self.ServerChangeRequested(server))
        return ""

    def show_help(self) -> None:
        """Show keys and commands."""
        self.post_message(self.HelpRequested())

    def request_quit(self) -> None:
        """Quit."""
        self.post_message(self.QuitRequested())

    def on_click(self, event: events.Click) -> None:
        """A click outside of the composer does not take the caret out of it."""
        if event.widget is not self.timeline or self.timeline.cursor_key is None:
            self.composer.focus()
