"""Sender of messages and changes to the current room."""

from collections.abc import Callable
from contextlib import suppress

from tui_chat.client.outbox_item import OutboxItem
from tui_chat.protocol.errors import ChatError
from tui_chat.session import error_text
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.compose_mode import ComposeKind, ComposeMode, resolve_emoji
from tui_chat.session.i18n import tr
from tui_chat.session.ports import RoomPort
from tui_chat.session.strings import chat as chat_strings


class MessageSender:
    """Messages of the current room. They wait in the outbox for the connection, and their progress arrives as events.

    Args:
        session: View model of the chat.
        on_posted: Called with each new outbox item, to display the item immediately.
    """

    def __init__(self, session: ChatSession, on_posted: Callable[[OutboxItem], None]) -> None:
        self._session = session
        self._on_posted = on_posted

    def submit(self, mode: ComposeMode | None, text: str) -> str:
        """Send text according to a compose mode, None for a message. Return the error message, empty on success."""
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

    def delete(self, seq: int) -> str:
        """Delete a message. Return the error message, empty on success."""
        return self._post(lambda room: room.post_deletion(seq))

    def _post(self, post: Callable[[RoomPort], OutboxItem]) -> str:
        view = self._session.current_room
        if view is None:
            return tr(chat_strings.NOT_IN_A_ROOM)
        try:
            item = post(view.room)
        except ChatError as error:
            return error_text.describe(error)
        self._on_posted(item)
        return ""

    def retry(self, key: str) -> None:
        """Send the failed message with this line key again. No effect for any other line."""
        view, client_id = self._session.current_room, self._session.unsent_client_id(key)
        if view is not None and client_id is not None:
            with suppress(KeyError):
                view.room.retry(client_id)

    def discard(self, key: str) -> bool:
        """Discard the unsent message with this line key. Return False if the message was sent or is in flight."""
        view, client_id = self._session.current_room, self._session.unsent_client_id(key)
        if view is not None and client_id is not None:
            with suppress(KeyError):
                view.room.drop(client_id)
                return True
        return False
