"""Compose modes of the chat screen: message, reply, edit and reaction.

- Compose mode: the text of a reply, edit or reaction stays with its room, and the status line shows the mode.
- Replaced draft: an edit or a reaction replaces the composer text, and the end of the mode restores the replaced draft.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from tui_chat.client.outbox_file import OutboxFile
from tui_chat.session.commands import registry
from tui_chat.session.compose_mode import ComposeKind, ComposeMode
from tui_chat.session.drafts import DraftManager
from tui_chat.session.i18n import tr
from tui_chat.session.lines import MessageLine
from tui_chat.session.message_sender import MessageSender
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.screens.chat_view import ChatView


class ComposeController:
    """Sends the composer text of the current room according to its compose mode.

    Args:
        messages: Sender of messages.
        view: Widgets of the chat screen.
        drafts: Storage of the composer state.
        on_message_sent: Called after a queued message of the current room without a compose mode.
    """

    def __init__(
        self,
        messages: MessageSender,
        view: ChatView,
        drafts: DraftManager,
        on_message_sent: Callable[[], None],
    ) -> None:
        self._messages = messages
        self._view = view
        self._drafts = drafts
        self._on_message_sent = on_message_sent

    @property
    def mode(self) -> ComposeMode | None:
        """Compose mode of the current room, None for a message."""
        return self._view.session.current_room.compose_mode if self._view.session.current_room is not None else None

    def send(self, text: str) -> str:
        """Queue text according to the compose mode of the current room. Return the error message, empty on success.

        Success ends the compose mode, or calls `on_message_sent` without one. A message or reply ends the typing
        indicator without a request.
        """
        if self.mode is not None:
            return self._submit(self.mode, text)
        error = self._messages.submit(None, text)
        if not error:
            self._drafts.reset_typing()
            self._on_message_sent()
        return error

    def send_files(self, room: str, files: Sequence[OutboxFile]) -> str:
        """Queue files as one message of a room, without a compose mode. Return the error message, empty on success.

        `on_message_sent` is called if the room is the current one.
        """
        error = self._messages.send_files(room, files)
        if not error and self._view.session.current_room is self._view.session.find_room(room):
            self._on_message_sent()
        return error

    def send_verbatim(self, text: str) -> str:
        """Queue text as in `send`, and add it to the input history. Return the error message, empty on success.

        The entry of the input history has `/` doubled at the start.
        """
        return self.run_and_record(lambda: self.send(text), f"/{text}" if text.startswith("/") else text)

    def run_and_record(self, run: Callable[[], str], text: str) -> str:
        """Call `run` and add its input text to the input history. Return the error message of `run`, empty on success.

        The text enters the history of the room that is current before the call, because a command may change the room.
        Rejected input, edits and reactions do not enter the input history.
        """
        view, mode = self._view.session.current_room, self.mode
        error = run()
        if not error and view is not None and (mode is None or mode.kind is ComposeKind.REPLY):
            self._drafts.add_sent_text(view, text)
        return error

    def start(self, kind: ComposeKind, line: MessageLine | None, text: str) -> str:
        """Reply to, edit or react to a message with `text`, or start a compose mode if `text` is empty.

        A compose mode replaces an earlier one, hides the message cursor and focuses the composer. An edit puts the
        message text into the composer, a reaction empties the composer.

        Returns:
            Error message, empty on success. Errors are a missing or unsent `line`, an error of `MessageSender.submit`,
            for an edit or a reaction a message deleted or in deletion, and for an edit a message of another member.
        """
        if line is None or (line.is_text_hidden and kind is not ComposeKind.REPLY):
            return tr(chat_strings.NO_SUCH_MESSAGE)
        if line.seq is None:
            return tr(chat_strings.MESSAGE_NOT_SENT)
        if kind is ComposeKind.EDIT and not line.is_own:
            return tr(chat_strings.NOT_OWN_MESSAGE)
        if text:
            return self._submit(ComposeMode(kind, line.seq, ""), text)
        quote = chat_strings.quote_line(line) if kind is ComposeKind.REPLY else ""
        self._enter_mode(
            ComposeMode(kind, line.seq, quote, registry.escape(line.text) if kind is ComposeKind.EDIT else "")
        )
        return ""

    def _enter_mode(self, mode: ComposeMode) -> None:
        """Replace the compose mode, hide cursor and status text, focus the composer, save the draft and draw.

        No effect without a room.
        """
        view, composer = self._view.session.current_room, self._view.composer
        if view is None:
            return
        self.leave_mode()
        if mode.kind is not ComposeKind.REPLY:
            mode = replace(mode, replaced_draft=composer.text)
            composer.set_text(mode.initial_text)
        view.compose_mode = mode
        self._view.timeline.set_cursor(None)
        self._view.focus(composer)
        self._view.status.show_status("")
        self._save_and_draw()

    def leave_mode(self) -> bool:
        """End the compose mode, save the draft and draw. No effect without a compose mode.

        The text of a reply stays, other modes restore the replaced draft.

        Returns:
            True if a compose mode was active.
        """
        view = self._view.session.current_room
        if view is None or view.compose_mode is None:
            return False
        mode, view.compose_mode = view.compose_mode, None
        if mode.kind is not ComposeKind.REPLY:
            self._view.composer.set_text(mode.replaced_draft)
        self._save_and_draw()
        return True

    def _save_and_draw(self) -> None:
        self._view.save_draft()
        self._view.draw_changes()

    def _submit(self, mode: ComposeMode, text: str) -> str:
        """Queue the text according to `mode`, and draw. Success ends the active compose mode, even if another one.

        Returns:
            Error message, empty on success.
        """
        error = self._messages.submit(mode, text)
        if not error:
            if mode.kind is ComposeKind.REPLY:
                self._drafts.reset_typing()
            self.leave_mode()
        self._view.draw_changes()
        return error

    def edit_last_message(self) -> bool:
        """Start an edit of the user's last message, if the composer is empty and has no compose mode.

        No edit starts if the message differs from the newest entry of a non-empty input history. An edit or reaction
        with unchanged text ends and restores the replaced draft, and the result is False.

        Returns:
            True if an edit has started, or if an edit or reaction with changed text continues; False if the caller
            continues with the input history.
        """
        view, text = self._view.session.current_room, self._view.composer.text
        if view is None:
            return False
        if view.compose_mode is not None and view.compose_mode.kind is not ComposeKind.REPLY:
            return text != view.compose_mode.initial_text or not self.leave_mode()
        last_own_message = view.last_message(is_own=True)
        if (
            text
            or view.compose_mode is not None
            or last_own_message is None
            or not view.input_history.ends_with(registry.escape(last_own_message.text))
        ):
            return False
        return not self.start(ComposeKind.EDIT, last_own_message, "")
