"""Message actions of the chat screen: select, reply, edit, delete, react and retry.

- Compose mode: the text of a reply, edit or reaction stays with its room, and the status line shows the mode.
- Saved draft: an edit or a reaction replaces the composer text, and the end of the mode restores the replaced text.
"""

from collections.abc import Callable

from msgspec.structs import replace
from textual import on

from tui_chat.client.events import OutboxItemChanged
from tui_chat.client.outbox_item import OutboxItem
from tui_chat.protocol.errors import ChatError
from tui_chat.session import error_text
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.compose_mode import ComposeKind, ComposeMode, resolve_emoji
from tui_chat.session.i18n import tr
from tui_chat.session.lines import DeliveryState, MessageLine
from tui_chat.session.room_view import MAX_QUOTE_LENGTH, RoomView
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.strings import settings as settings_strings
from tui_chat.ui.app_services import app_of
from tui_chat.ui.browser import open_link
from tui_chat.ui.input.key_scopes import KeyScope
from tui_chat.ui.screens.chat_view import COMPOSING_SCOPES, ChatView
from tui_chat.ui.screens.link import LinkScreen
from tui_chat.ui.server_link import ServerLink
from tui_chat.ui.timeline.hyperlinks import find_hyperlinks
from tui_chat.ui.timeline.messages import CursorMoved, MessageActivated, RetryRequested


class MessageActions(ChatView):
    """Chat view with actions on single messages.

    Attributes:
        server_link: Link to the server.
    """

    def __init__(self, session: ChatSession, server_link: ServerLink) -> None:
        """Create the screen.

        Args:
            session: View model of the chat.
            server_link: Link to the server.
        """
        super().__init__(session)
        self.server_link = server_link
        self._delete_confirm_key: str | None = None

    def show_error(self, problem: str) -> None:
        """Show an error in the status line until the next input."""
        self.status.show_error(problem)

    def show_status(self, text: str) -> None:
        """Show a status text in the status line until the next input."""
        self.status.show_status(text)

    def action_select_message(self) -> None:
        """Show the message cursor on the last visible message."""
        self.timeline.action_show_cursor()
        if self.timeline.cursor_key is not None:
            self.set_focus(self.timeline)  # synchronously, because the next key may already be queued

    @on(CursorMoved)
    def _handle_cursor_moved(self, event: CursorMoved) -> None:
        if event.key != self._delete_confirm_key:
            self._delete_confirm_key = None
        self.key_bar.set_scopes(*(COMPOSING_SCOPES if event.key is None else (KeyScope.MESSAGE_CURSOR,)))
        if event.key is None:
            self.composer.focus()

    @on(MessageActivated)
    def _handle_message_activated(self, event: MessageActivated) -> None:
        view = self.session.current_room
        line = self.timeline.lines.get(event.key)
        if view is not None and isinstance(line, MessageLine) and line.seq is not None:
            if line.reply_to is not None:
                self.go_to_reply_target(view, line.reply_to)
        else:
            self._resend(event.key)

    @on(RetryRequested)
    def _handle_retry_requested(self, event: RetryRequested) -> None:
        self._resend(event.key)

    def go_to_reply_target(self, view: RoomView, seq: int) -> None:
        """Navigate to the message `seq`, the target of a reply in this room."""
        raise NotImplementedError

    def _resend(self, key: str) -> None:
        unsent = self.session.resolve_unsent_key(key)
        if unsent is not None:
            try:
                self.server_link.retry(unsent[0].name, unsent[1])
            except ChatError as error:
                self.show_error(error_text.describe(error))

    def action_copy_selected(self) -> None:
        """Copy the text of the selected message."""
        line = self._selected_message()
        if line is not None:
            self.show_status(tr(chat_strings.COPIED))
            app_of(self).copy_to_clipboard(line.text)  # may replace the status text
            self.timeline.set_cursor(None)

    def action_mention_selected(self) -> None:
        """Insert the nickname of the selected message's author into the composer."""
        line = self._selected_message()
        if line is not None:
            self.timeline.set_cursor(None)
            self.composer.insert_text(f"{line.nick}: " if not self.composer.text else f"{line.nick} ")

    def action_reply_to_selected(self) -> None:
        """Start a reply to the selected message, or retry an unsent one."""
        line = self._selected_message()
        if line is not None and line.delivery in (DeliveryState.FAILED, DeliveryState.UNCONFIRMED):
            self._resend(line.key)
        elif line is not None:
            self._show_if_error(self.reply_to_message(line, ""))

    def action_edit_selected(self) -> None:
        """Start an edit of the selected message. An unsent message moves back into the composer."""
        line = self._selected_message()
        if line is not None and line.seq is None:
            if self._discard_unsent(line):
                self.composer.insert_text(line.text)
        elif line is not None:
            self._show_if_error(self.edit_message(line, ""))

    def action_delete_selected(self) -> None:
        """Delete the selected message on the second call. An unsent message is dropped immediately.

        Both calls must have the same message selected. A deletion closes the message cursor.
        """
        line = self._selected_message()
        if line is None or line.deleted:
            return
        if line.seq is None:
            self._discard_unsent(line)
        elif not line.is_own:
            self.show_error(tr(chat_strings.NOT_OWN_MESSAGE))
        elif self._delete_confirm_key != line.key:
            self._delete_confirm_key = line.key
            self.show_status(tr(chat_strings.CONFIRM_DELETE))
        else:
            seq = line.seq
            self.timeline.set_cursor(None)
            self._show_if_error(self.post(lambda room: self.server_link.delete(room, seq)))
            self.draw_changes()

    def action_react_to_selected(self) -> None:
        """Start a reaction to the selected message."""
        line = self._selected_message()
        if line is not None:
            self._show_if_error(self.react_to_message(line, ""))

    def action_open_selected_links(self) -> None:
        """Open the link dialog for the selected message."""
        line = self._selected_message()
        urls = [] if line is None or line.deleted else [link.url for link in find_hyperlinks(line.text)]
        if urls:
            self.timeline.set_cursor(None)
            self.show_links(list(dict.fromkeys(urls)))
        elif line is not None:
            self.show_error(tr(settings_strings.NO_LINK))

    def show_links(self, urls: list[str]) -> None:
        """Open the link dialog for these URLs."""
        app_of(self).push_screen(LinkScreen(urls), self._on_link_selected)

    def _on_link_selected(self, url: str | None) -> None:
        if url is not None:
            self.show_status(open_link(url, app_of(self)))

    # Compose modes

    def reply_to_message(self, line: MessageLine | None, text: str) -> str:
        """Reply with `text`, or start a reply if `text` is empty. Return the error message, empty on success."""
        if line is None or line.seq is None:
            return tr(chat_strings.NO_SUCH_MESSAGE)
        if text:
            return self.submit_compose(ComposeMode(ComposeKind.REPLY, line.seq, ""), text)
        quote = chat_strings.quote_line(line, MAX_QUOTE_LENGTH)
        self._enter_compose_mode(ComposeMode(ComposeKind.REPLY, line.seq, quote), None)
        return ""

    def edit_message(self, line: MessageLine | None, text: str) -> str:
        """Change one of the user's messages to `text`, or start an edit if `text` is empty.

        Unsent and deleted messages are errors. A started edit replaces the composer text until the edit ends.

        Returns:
            Error message, empty on success.
        """
        if line is None or line.seq is None or line.deleted:
            return tr(chat_strings.NO_SUCH_MESSAGE)
        if not line.is_own:
            return tr(chat_strings.NOT_OWN_MESSAGE)
        if text:
            return self.submit_compose(ComposeMode(ComposeKind.EDIT, line.seq, ""), text)
        current_text = _as_input(line)
        self._enter_compose_mode(ComposeMode(ComposeKind.EDIT, line.seq, "", current_text), current_text)
        return ""

    def react_to_message(self, line: MessageLine | None, emoji_text: str) -> str:
        """Toggle a reaction, or start a reaction if `emoji_text` is empty.

        Unsent and deleted messages are errors.

        Returns:
            Error message, empty on success.
        """
        if line is None or line.seq is None or line.deleted:
            return tr(chat_strings.NO_SUCH_MESSAGE)
        if emoji_text:
            return self.submit_compose(ComposeMode(ComposeKind.REACT, line.seq, ""), emoji_text)
        self._enter_compose_mode(ComposeMode(ComposeKind.REACT, line.seq, ""), "")
        return ""

    def _enter_compose_mode(self, mode: ComposeMode, text: str | None) -> None:
        view = self.session.current_room
        if view is None:
            return
        self.leave_compose_mode()
        view.compose_mode = replace(mode, replaced_draft=self.composer.text if text is not None else "")
        if text is not None:
            self.composer.set_text(text)
        self.timeline.set_cursor(None)
        self.composer.focus()
        self.status.show_error("")
        self.show_compose_mode()
        self.save_draft()

    def leave_compose_mode(self) -> bool:
        """Return to a plain message; the text of a reply stays, other modes restore the saved draft.

        Returns:
            True if a compose mode was active.
        """
        view = self.session.current_room
        if view is None or view.compose_mode is None:
            return False
        mode, view.compose_mode = view.compose_mode, None
        if mode.kind is not ComposeKind.REPLY:
            self.composer.set_text(mode.replaced_draft)
        self.show_compose_mode()
        self.save_draft()
        return True

    def submit_compose(self, mode: ComposeMode, text: str) -> str:
        """Send the text according to the compose mode. Return the error message, empty on success.

        Success leaves the active compose mode; an error keeps the mode.
        """
        match mode.kind:
            case ComposeKind.REPLY:
                error = self.post(lambda room: self.server_link.post(room, text, mode.seq))
            case ComposeKind.EDIT:
                error = self.post(lambda room: self.server_link.edit(room, mode.seq, text))
            case ComposeKind.REACT:
                error = self._toggle_reaction(mode.seq, resolve_emoji(text))
        if not error:
            self.leave_compose_mode()
        self.draw_changes()
        return error

    def _toggle_reaction(self, seq: int, emoji: str) -> str:
        view = self.session.current_room
        line = view.transcript.find_message(seq) if view is not None else None
        has_own_reaction = line is not None and any(
            reaction.is_own and reaction.emoji == emoji for reaction in line.reactions
        )
        return self.post(lambda room: self.server_link.react(room, seq, emoji, not has_own_reaction))

    def edit_last_message(self) -> bool:
        """Start an edit of the user's last message if the composer is empty. A second call continues with the history.

        Returns:
            True if the key was handled, also without effect during a changed edit. False as well if the user's last
            message is not the newest entry of the input history.
        """
        view = self.session.current_room
        if view is None:
            return False
        if view.compose_mode is not None and view.compose_mode.kind is not ComposeKind.REPLY:
            if self.composer.text == view.compose_mode.initial_text:
                self.leave_compose_mode()
                return False
            return True
        last_own_message = view.last_message(is_own=True)
        if (
            self.composer.text
            or view.compose_mode is not None
            or last_own_message is None
            or not view.input_history.ends_with(_as_input(last_own_message))
        ):
            return False
        return not self.edit_message(last_own_message, "")

    def _show_if_error(self, problem: str) -> None:
        if problem:
            self.show_error(problem)

    def _discard_unsent(self, line: MessageLine) -> bool:
        """Discard an unsent message. Return False if the message was sent or is in flight."""
        unsent = self.session.resolve_unsent_key(line.key)
        dropped = self.server_link.drop(unsent[0].name, unsent[1]) if unsent is not None else None
        if dropped is None:
            return False
        self.timeline.set_cursor(None)
        self.session.apply(OutboxItemChanged(dropped))
        self.draw_changes()
        return True

    def _selected_message(self) -> MessageLine | None:
        key = self.timeline.cursor_key
        line = self.timeline.lines.get(key)
        return line if isinstance(line, MessageLine) else None

    def post(self, send: Callable[[str], OutboxItem]) -> str:
        """Post to the current room. Return the error message, empty on success.

        The session shows the message as pending immediately.

        Args:
            send: Posts to the room with the given name.
        """
        view = self.session.current_room
        if view is None:
            return tr(chat_strings.NOT_IN_A_ROOM)
        try:
            self.session.apply(OutboxItemChanged(send(view.name)))
        except ChatError as error:
            return error_text.describe(error)
        return ""


def _as_input(line: MessageLine) -> str:
    return f"/{line.text}" if line.text.startswith("/") and not line.is_action else line.text
