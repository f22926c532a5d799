"""Sender of messages and changes."""

import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from tui_chat.client.outbox_file import OutboxFile
from tui_chat.client.outbox_item import OutboxItem, OutboxItemState
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.requests import SendMessage
from tui_chat.session import error_text
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.commands import registry
from tui_chat.session.compose_mode import ComposeKind, ComposeMode, resolve_emoji
from tui_chat.session.pending_lines import find_client_id
from tui_chat.session.ports import OutboxPort
from tui_chat.session.strings import chat as chat_strings
from tui_chat.session.upload_permission import find_size_refusal, find_upload_refusal


class MessageSender:
    """Sender for the open rooms. Messages wait in the outbox for the connection; events report the progress.

    `on_posted` is called with each new outbox item, to display the item immediately.
    """

    def __init__(
        self,
        session: ChatSession,
        find_room: Callable[[str], OutboxPort | None],
        on_posted: Callable[[OutboxItem], None],
    ) -> None:
        self._session = session
        self._find_room = find_room
        self._on_posted = on_posted

    def submit(self, mode: ComposeMode | None, text: str) -> str:
        """Queue text for the current room according to a compose mode, None for a message. Return the error, or "".

        The text of a reaction is resolved by `resolve_emoji`; a reaction that the user already has is removed.
        """
        match mode:
            case None:
                return self._post(lambda room: room.post(text))
            case ComposeMode(kind=ComposeKind.REPLY):
                return self._post(lambda room: room.post(text, mode.seq))
            case ComposeMode(kind=ComposeKind.EDIT):
                return self._post(lambda room: room.post_edit(mode.seq, text))
            case ComposeMode():
                emoji, view = resolve_emoji(text), self._session.current_room
                add = view is None or not view.has_own_reaction(mode.seq, emoji)
                return self._post(lambda room: room.post_reaction(mode.seq, emoji, add))

    def send_files(self, room: str, files: Sequence[OutboxFile]) -> str:
        """Queue a message with files in a room. Return the error message, empty on success."""
        view = self._session.find_room(room)
        refusal = (
            None
            if view is None
            else find_upload_refusal(view.room) or find_size_refusal(view.room, [file.size for file in files])
        )
        if refusal is not None:
            return error_text.describe(refusal)
        return self._post(lambda open_room: open_room.post("", files=files), room)

    def delete(self, room: str, seq: int) -> str:
        """Queue the deletion of a message in a room. Return the error message, empty on success."""
        return self._post(lambda open_room: open_room.post_deletion(seq), room)

    def _current_room(self) -> OutboxPort | None:
        view = self._session.current_room
        return self._find_room(view.name) if view is not None else None

    def _post(self, post: Callable[[OutboxPort], OutboxItem], room_name: str = "") -> str:
        """Queue an item in a room, the current room for "", and call `on_posted`. Return the error message, or ""."""
        room = self._find_room(room_name) if room_name else self._current_room()
        if room is None:
            return chat_strings.not_in_room(room_name)
        try:
            item = post(room)
        except ChatError as error:
            return error_text.describe(error)
        self._on_posted(item)
        return ""

    def retry(self, key: str) -> str:
        """Queue the failed message with this line key in the current room again. Return the error message, or "".

        No effect for any other line.
        """
        try:
            self._change_unsent(key, lambda room, client_id: room.retry(client_id))
        except ChatError as error:
            return error_text.describe(error)
        return ""

    def withdraw(self, key: str) -> str:
        """Discard the unsent message with this line key in the current room, and return an input that sends it again.

        The input for files is `/upload` with their paths, for a single file without a path its text. The input for a
        reply has no parent message. Returns "" without effect if the message is in flight or no longer unsent, and if
        an input cannot express the message.
        """
        room, client_id = self._current_room(), find_client_id(self._session.current_room, key)
        item = next((item for item in room.unsent() if item.client_id == client_id), None) if room is not None else None
        text = "" if item is None else _as_input(item)
        return text if text and self.discard(key) else ""

    def discard(self, key: str) -> bool:
        """Discard the unsent message with this line key in the current room.

        Returns:
            False without effect if the message is in flight or no longer unsent.
        """
        return self._change_unsent(key, lambda room, client_id: room.drop(client_id))

    def drop_failed_change(self, item: OutboxItem) -> None:
        """Drop a failed edit, deletion or reaction of an open room, whose notice offers no retry.

        No effect for any other item.
        """
        if item.state is not OutboxItemState.FAILED or isinstance(item.request, SendMessage):
            return
        room = self._find_room(item.room)
        if room is not None and self._session.find_room(item.room) is not None:
            with suppress(KeyError):  # dropped already
                room.drop(item.client_id)

    def _change_unsent(self, key: str, change: Callable[[OutboxPort, UUID], object]) -> bool:
        """Change the unsent message with a line key. Return False without one, or if `change` raises `KeyError`."""
        room, client_id = self._current_room(), find_client_id(self._session.current_room, key)
        if room is not None and client_id is not None:
            with suppress(KeyError):
                change(room, client_id)
                return True
        return False


def _as_input(item: OutboxItem) -> str:
    """Return the input of a message; empty for files with a text, and for several files of which one has no path."""
    if not item.files:
        return registry.escape(item.text)
    if item.text:
        return ""
    if all(file.path for file in item.files):
        return " ".join(("/upload", *(shlex.quote(file.path) for file in item.files)))
    return registry.escape(item.files[0].content.decode(errors="replace")) if len(item.files) == 1 else ""
