"""Chat screen: maps keys, clicks and commands to session and server link."""

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
from tui_chat.session.commands import registry
from tui_chat.session.commands.completion import Completion, complete
from tui_chat.session.compose_mode import ComposeKind
from tui_chat.session.lines import UnreadLine
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.app_services import app_of, app_services
from tui_chat.ui.input import keys
from tui_chat.ui.input.key_scopes import KeyScope
from tui_chat.ui.screens import chat_commands
from tui_chat.ui.screens.chat_view import COMPOSING_SCOPES
from tui_chat.ui.screens.copy_mode import MAX_LINES, CopyModeScreen
from tui_chat.ui.screens.message_navigation import MessageNavigation
from tui_chat.ui.server_link import ServerLink
from tui_chat.ui.timeline.messages import (
    FollowChanged,
    GapRequested,
    LinkClicked,
    OlderMessagesRequested,
)
from tui_chat.ui.widgets.composer import Composer

TYPING_REPEAT_INTERVAL = 3.0
"""Seconds after which an active typing indicator is sent again."""


class ChatScreen(MessageNavigation):
    """Chat screen with composing, reading, message actions, navigation and commands.

    Attributes:
        server_link: Link to the server.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.textual_bindings(KeyScope.CHAT)]

    @dataclass
    class ServerChangeRequested(Message):
        """Request of `/server`.

        Attributes:
            address: Server address as typed, already validated.
        """

        address: str

    def __init__(self, session: ChatSession, server_link: ServerLink) -> None:
        """Create the screen.

        Args:
            session: View model of the chat.
            server_link: Link to the server.
        """
        super().__init__(session, server_link)
        self._typing_sent_at = 0.0
        self._rejected_text = ""

    # Composing

    def submit(self, raw_text: str) -> None:
        """Send the text, or run the command in it. Rejected input returns to the composer.

        Blank text is ignored. Rejected input, edits and reactions do not enter the input history.
        """
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
        """Insert unsent text into the composer and keep the current error visible."""
        self.composer.insert_text(text)
        self._rejected_text = self.composer.text

    def _add_to_history(self, text: str) -> None:
        """Append sent text to the input history of the current room."""
        view = self.session.current_room
        if view is not None:
            view.input_history.add(text)
            self.server_link.add_sent_text(view.name, text)

    def run_input(self, text: str) -> str:
        """Send the text, or run the command in it.

        Returns:
            Error message, empty on success or if the operation has started.
        """
        match registry.parse(text):
            case registry.ParseError(problem):
                return problem
            case registry.CommandCall() as call:
                error = chat_commands.run_command(call, self)
            case registry.ChatText(message):
                error = self.send_text(message)
        self.draw_changes()
        return error

    def run_palette_command(self, text: str) -> None:
        """Run a command of the palette and show its error, if any."""
        if error := self.run_input(text):
            self.show_error(error)

    def send_text(self, text: str) -> str:
        """Send text according to the compose mode of the current room. Return the error message, empty on success.

        A plain message scrolls to the newest line and discards the return position.
        """
        view = self.session.current_room
        if view is not None and view.compose_mode is not None:
            return self.submit_compose(view.compose_mode, text)
        error = self.post(lambda room: self.server_link.post(room, text))
        if not error:
            self.action_bottom()
        return error

    def send_verbatim(self, text: str) -> str:
        """Send text without command parsing. Return the error message, empty on success.

        Success adds the text to the input history, with `/` doubled at the start.
        """
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
            chat_strings.character_counter(len(text), MESSAGE_CHARACTERS) if is_near_limit else ""
        )
        view = self.session.current_room
        if view is None or not self.composer.has_focus or not app_services(self).settings.send_typing:
            return
        now = time.monotonic()
        if text and not text.startswith("/") and now - self._typing_sent_at > TYPING_REPEAT_INTERVAL:
            self._typing_sent_at = now
            self.server_link.send_typing(view.name, True)
        elif not text and self._typing_sent_at:
            self._typing_sent_at = 0.0
            self.server_link.send_typing(view.name, False)

    def save_draft(self) -> None:
        """Save the composer text as draft of the displayed room, in memory and on disk. No effect if unchanged."""
        view, text = self.displayed_room, self.composer.draft
        if view is not None and (text, view.compose_mode) != (view.draft, view.saved_compose_mode):
            view.draft, view.saved_compose_mode = text, view.compose_mode
            self.server_link.save_draft(view.name, text, view.compose_mode)

    def save_read_marker(self) -> None:
        """Save the read marker of the current room for the next start."""
        view = self.session.current_room
        if view is not None and view.read_seq != view.saved_read_seq:
            view.saved_read_seq = view.read_seq
            self.server_link.save_read_marker(view.name, view.read_seq)

    @on(Composer.HistorySearchChanged)
    def _handle_history_search_changed(self, event: Composer.HistorySearchChanged) -> None:
        self.status.show_history_search(event.description)
        self.key_bar.set_scopes(*((KeyScope.HISTORY_SEARCH,) if event.description else COMPOSING_SCOPES))

    @on(Composer.InputRejected)
    def _handle_input_rejected(self, event: Composer.InputRejected) -> None:
        self.show_error(event.problem)

    def complete(self, text_before_cursor: str) -> Completion | None:
        """Return the completion of the text before the cursor, None if there is none."""
        view = self.session.current_room
        rooms = [*(room.name for room in self.session.rooms.values()), *self.listed_room_names]
        return complete(text_before_cursor, view.other_nicks if view else (), list(dict.fromkeys(rooms)))

    def set_composer_text(self, text: str) -> None:
        """Replace the composer text and focus the composer. The compose mode stays."""
        self.composer.set_text(text)
        self.composer.focus()

    def clear_input(self) -> bool:
        """Cancel the history search, else the compose mode, else clear the text: one step per call.

        Returns:
            False if there was no input.
        """
        if self.composer.is_searching:
            self.composer.action_search_cancel()
            return True
        if self.leave_compose_mode():
            return True
        if not self.composer.text:
            return False
        self.composer.clear()
        undo_key = app_services(self).keymap.display_key("undo")
        self.show_status(chat_strings.input_cleared(undo_key) if undo_key else "")
        return True

    # Reading

    def action_page_up(self) -> None:
        """Scroll the timeline up by a page."""
        self.timeline.action_page_up()

    def action_page_down(self) -> None:
        """Scroll the timeline down by a page."""
        self.timeline.action_page_down()

    def action_top(self) -> None:
        """Scroll to the oldest loaded line."""
        self.timeline.action_to_top()

    @on(Composer.BottomRequested)
    def action_bottom(self) -> None:
        """Scroll to the newest line and discard the return position."""
        self.clear_return_position()
        self.timeline.action_to_bottom()

    def action_escape(self) -> None:
        """Leave the compose mode, else return from a navigation, else scroll to the newest line."""
        if not self.leave_compose_mode() and not self.go_back():
            self.action_bottom()

    def action_copy_mode(self) -> None:
        """Open copy mode with the loaded messages."""
        app_of(self).push_screen(CopyModeScreen(self.timeline.export_text(MAX_LINES)))

    def action_first_unread(self) -> None:
        """Scroll to the unread divider."""
        self.timeline.scroll_to_key(UnreadLine().key)

    @on(FollowChanged)
    def _handle_follow_changed(self) -> None:
        self.draw_changes()

    @on(OlderMessagesRequested)
    def _handle_older_requested(self) -> None:
        if self.session.current_room is not None:
            self.server_link.load_older(self.session.current_room.name)

    @on(GapRequested)
    def _handle_gap_requested(self, event: GapRequested) -> None:
        if self.session.current_room is not None:
            self.server_link.fill_gap(self.session.current_room.name, event.after, oldest_first=event.oldest_first)

    @on(LinkClicked)
    def _handle_link_clicked(self, event: LinkClicked) -> None:
        self.show_links([event.url])

    # Command context

    @property
    def settings(self) -> ClientSettings:
        """Current settings."""
        return app_services(self).settings

    def reply(self, text: str) -> None:
        """Add a command's output to the current room as a notice."""
        self.session.add_notice(text)

    def set_setting(self, name: str, value: object) -> None:
        """Change and save a setting. Show the error if saving failed."""
        if problem := app_services(self).change_setting(name, value):
            self.show_error(problem)

    def change_server(self, server: str) -> str:
        """Request a change of the server. Return the error message, empty if the address is valid."""
        try:
            address.parse_address(server)
        except ValueError as error:
            return str(error)
        self.post_message(self.ServerChangeRequested(server))
        return ""

    def run_app_action(self, name: str) -> None:
        """Run an action of the app, such as `help`, after the current event."""
        self.call_later(self.run_action, f"app.{name}")

    def on_click(self, event: events.Click) -> None:
        """Return the focus to the composer after a click elsewhere."""
        if event.widget is not self.timeline or self.timeline.cursor_key is None:
            self.composer.focus()
