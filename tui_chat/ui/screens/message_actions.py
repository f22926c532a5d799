"""Actions of the chat screen on the selected message."""

import asyncio
from collections.abc import Callable
from functools import partial

from tui_chat.session.commands.message_targets import may_delete
from tui_chat.session.compose_mode import ComposeKind
from tui_chat.session.delayed_deletions import DelayedDeletions
from tui_chat.session.hyperlinks import find_hyperlinks
from tui_chat.session.i18n import mark, tr
from tui_chat.session.lines import DeletionState, DeliveryState, MessageLine
from tui_chat.session.message_sender import MessageSender
from tui_chat.session.room_view import RoomView
from tui_chat.session.strings import chat as chat_strings
from tui_chat.ui.screens.chat_view import ChatView
from tui_chat.ui.screens.compose_controller import ComposeController
from tui_chat.ui.screens.confirm import Answer, ConfirmScreen
from tui_chat.ui.screens.link import LinkScreen


class MessageActions:
    """Actions on the message under the message cursor.

    Args:
        messages: Sender of messages.
        deletions: Deletions that can be undone.
        view: Widgets of the chat screen.
        compose_controller: Sender of replies, edits and reactions.
        go_to_reply_target: Navigates to the message of a room with a sequence number.
        copy_text: Copies a text to the clipboard.
        mark_unread: Marks the messages from a `seq` on as unread.
        open_link: Opens a URL, and shows a status text or an error.

    Attributes:
        actions: Key actions by name, without effect if no message is selected. Errors appear in the status line.
        save_files: Saves the files of a message. Returns the error message, empty on success.
        open_file: Opens a file of a message by index, after a question. Returns the error message, empty on success.
    """

    def __init__(
        self,
        messages: MessageSender,
        deletions: DelayedDeletions,
        view: ChatView,
        compose_controller: ComposeController,
        *,
        go_to_reply_target: Callable[[RoomView, int], None],
        copy_text: Callable[[str], None],
        mark_unread: Callable[[RoomView, int], None],
        open_link: Callable[[str], None],
    ) -> None:
        self._messages = messages
        self._deletions = deletions
        self._view = view
        self._compose_controller = compose_controller
        self._go_to_reply_target = go_to_reply_target
        self._copy_text = copy_text
        self._mark_unread = mark_unread
        self._open_link = open_link
        self.save_files: Callable[[MessageLine], str] = lambda line: ""
        self.open_file: Callable[[MessageLine, int], str] = lambda line, index: ""
        handlers: dict[str, Callable[[MessageLine], str | None]] = {
            "copy_selected": self._copy,
            "mention_selected": self._mention,
            "reply_to_selected": self._reply,
            "edit_selected": self._edit,
            "delete_selected": self.confirm_deletion,
            "undo_selected_deletion": self._undo_deletion,
            "react_to_selected": lambda line: self._compose_controller.start(ComposeKind.REACT, line, ""),
            "mark_selected_unread": self._mark_selected_unread,
            "save_selected_files": self._save_files,
            "open_selected_links": self._open_links_and_files,
        }
        self.actions = {name: partial(self._run, handler) for name, handler in handlers.items()}

    def _run(self, handler: Callable[[MessageLine], str | None]) -> None:
        """Call a handler with the selected message, and show its error message; no effect without a selection."""
        line = self.selected_message
        if line is not None and (problem := handler(line)):
            self._view.show_error(problem)

    @property
    def selected_message(self) -> MessageLine | None:
        """Message under the message cursor, None without one."""
        line = self._view.timeline.lines.get(self._view.timeline.cursor_key)
        return line if isinstance(line, MessageLine) else None

    def activate(self, key: str) -> None:
        """Retry a failed or unconfirmed message, undo a delayed deletion, or go to the parent of a sent reply.

        The error of a retry is shown. No effect on other messages and for an unknown line key.
        """
        view = self._view.session.current_room
        line = self._view.timeline.lines.get(key)
        if view is None or not isinstance(line, MessageLine) or line.seq is None:
            if problem := self._messages.retry(key):
                self._view.show_error(problem)
        elif line.deletion is DeletionState.DELAYED:
            self._deletions.undo(view, line.seq)
        elif line.reply_to is not None:
            self._go_to_reply_target(view, line.reply_to)

    def show_links(self, urls: list[str]) -> None:
        """Open the link dialog for these URLs; the selected one is opened."""
        self._view.open_dialog(LinkScreen(urls), self._on_link_selected)

    def _on_link_selected(self, url: str | int | None) -> None:
        if isinstance(url, str):
            self._open_link(url)

    def _copy(self, line: MessageLine) -> None:
        """Copy the text of the message, show a status and hide the message cursor."""
        self._view.status.show_status(tr(chat_strings.COPIED))
        self._copy_text(line.content)  # may replace the status text
        self._view.timeline.set_cursor(None)

    def _mark_selected_unread(self, line: MessageLine) -> str:
        """Mark the messages from this one on as unread, end the selection; return an error for an unsent one."""
        view = self._view.session.current_room
        if view is None or line.seq is None:
            return tr(chat_strings.MESSAGE_NOT_SENT)
        self._mark_unread(view, line.seq)
        self._view.timeline.set_cursor(None)
        self._view.draw_changes()
        self._view.status.show_status(chat_strings.marked_unread(line))
        return ""

    def _mention(self, line: MessageLine) -> None:
        """Hide the message cursor, and insert the nickname, with a colon into an empty composer."""
        composer = self._view.composer
        self._view.timeline.set_cursor(None)
        composer.insert_text(f"{line.nick}: " if not composer.text else f"{line.nick} ")

    def _reply(self, line: MessageLine) -> str:
        """Start a reply, or retry a failed or unconfirmed message. A pending message is an error."""
        if line.delivery not in (DeliveryState.FAILED, DeliveryState.UNCONFIRMED):
            return self._compose_controller.start(ComposeKind.REPLY, line, "")
        return self._messages.retry(line.key)

    def _edit(self, line: MessageLine) -> str:
        """Start an edit. The text of an unsent message moves to the composer, unless `withdraw` has no effect.

        A reply to a loaded message stays a reply.
        """
        view = self._view.session.current_room
        if line.seq is not None or view is None:
            return self._compose_controller.start(ComposeKind.EDIT, line, "")
        if text := self._messages.withdraw(line.key):
            self._view.timeline.set_cursor(None)
            self._view.draw_changes()
            if line.reply_to is not None and (parent := view.transcript.find_message(line.reply_to)) is not None:
                self._compose_controller.start(ComposeKind.REPLY, parent, "")
            self._view.composer.insert_text(text)
        return ""

    def confirm_deletion(self, line: MessageLine) -> str:
        """Ask before the deletion of a message, which starts as a delayed deletion after the confirmation.

        An unsent message is dropped immediately unless in flight. No effect on a message deleted or in deletion.

        Returns:
            Error message for a message that the user may not delete, otherwise empty.
        """
        view, seq = self._view.session.current_room, line.seq
        if seq is None:
            if self._messages.discard(line.key):
                self._view.timeline.set_cursor(None)
        elif line.is_text_hidden or view is None:
            return ""
        elif not may_delete(view, line):
            return tr(chat_strings.NOT_OWN_MESSAGE)
        else:
            title = (
                tr("Delete this message for everyone?")
                if line.is_own
                else tr("Delete this message of {nick} for everyone?", nick=line.nick)
            )
            question = ConfirmScreen(title, line.content, tr("delete"))
            self._view.open_dialog(question, lambda answer: self._on_deletion_answered(view, seq, answer))
        return ""

    async def confirm(self, question: str, label: str) -> bool:
        """Ask a question with the label of an action; return whether the user confirms.

        Text that is typed instead of an answer moves to the composer.
        """
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._view.open_dialog(ConfirmScreen(question, "", label), answered.set_result)
        answer = await answered
        if answer is not None and not answer.is_confirmed:
            self._view.composer.insert_text(answer.typed_text)
        return answer is not None and answer.is_confirmed

    def _on_deletion_answered(self, view: RoomView, seq: int, answer: Answer | None) -> None:
        """End the selection, and schedule the deletion after a confirmation, or insert typed text into the composer.

        A cancelled question keeps the selection and returns the focus to the timeline if a message is selected.
        """
        if answer is None:
            if self._view.timeline.cursor_key is not None:
                self._view.focus(self._view.timeline)
            return
        self._view.timeline.set_cursor(None)
        if answer.is_confirmed:
            self._deletions.schedule(view, seq)
        else:
            self._view.composer.insert_text(answer.typed_text)

    def _undo_deletion(self, line: MessageLine) -> None:
        view = self._view.session.current_room
        if view is not None and line.seq is not None:
            self._deletions.undo(view, line.seq)

    def _save_files(self, line: MessageLine) -> str:
        return self.save_files(line)

    def _open_links_and_files(self, line: MessageLine) -> str:
        """Open the only file of a message without links, or a dialog with its files and links, and end the selection.

        Returns the error message of the file, or one for a message without files and links; the files of an unsent
        message do not count.
        """
        captions = [] if line.seq is None or not line.captions else line.captions.split("\n")
        urls = [] if line.deleted else list(dict.fromkeys(link.url for link in find_hyperlinks(line.text)))
        if not urls and not captions:
            return tr(chat_strings.MESSAGE_NOT_SENT if line.captions else mark("This message has no link and no file."))
        self._view.timeline.set_cursor(None)
        if len(captions) == 1 and not urls:
            return self.open_file(line, 0)

        def open_selected(selected: str | int | None) -> None:
            if not isinstance(selected, int):
                self._on_link_selected(selected)
            elif problem := self.open_file(line, selected):
                self._view.show_error(problem)

        self._view.open_dialog(LinkScreen(urls, captions), open_selected)
        return ""
