"""Socket events of the conversation dialect (docs/dialects.md, "conversation").

`server.gateway.conversations.feed` pushes the messages, because clients of the dialect join no room.
"""

from typing import Annotated, Any, ClassVar

import msgspec

from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import encode_event
from server.gateway.conversations.views import Conversation, ViewBuilder
from server.gateway.dialects.dialect import Dialect
from server.gateway.handlers import Handlers
from server.gateway.identity import require_account
from server.storage.group_repository import ConversationRecord, GroupRepository
from tui_chat.protocol import codec, errors, limits, requests, room_requests

RowId = Annotated[int, msgspec.Meta(ge=1, le=limits.SEQ_MAX)]


class UpdateLastMessage(requests.Request, frozen=True, rename="camel"):
    """Request to move the read marker of a conversation to a message."""

    event: ClassVar[str] = "update-last-msg"
    id: RowId
    message_id: RowId


class ConversationDialect(Dialect):
    """Dialect of a web application with groups.

    Args:
        room_registry: Rooms with members.
        repository: Storage of conversations.
        views: Encoder of conversations.
    """

    name: ClassVar[str] = "conversation"

    def __init__(
        self,
        room_registry: RoomRegistry[ClientConnection],
        *,
        repository: GroupRepository,
        views: ViewBuilder,
    ) -> None:
        super().__init__(room_registry, timezone=None)
        self._repository = repository
        self._views = views

    def matches(self, event: str, arguments: list[msgspec.Raw]) -> bool:
        """Return whether the event is `update-last-msg`."""
        return event == UpdateLastMessage.event

    def decode(self, connection: ClientConnection, event: str, arguments: list[msgspec.Raw]) -> requests.Request:
        """Decode a request; ids may be integers, or strings of digits.

        Raises:
            BadRequest: An id is missing or invalid.
        """
        try:
            body = msgspec.json.decode(arguments[0]) if arguments else None
            return msgspec.convert(body, UpdateLastMessage, strict=False)
        except errors.DECODE_ERRORS as error:
            raise codec.to_bad_request(error) from None

    async def handle(
        self, handlers: Handlers, connection: ClientConnection, request: requests.Request, *, wants_ack: bool
    ) -> Conversation:
        """Move the read marker forward, push the conversation to the requester, and return the conversation.

        An earlier message leaves the read marker unchanged.

        Raises:
            Forbidden: The connection has no account.
            NotFound: The conversation or the message does not exist, or the account is no longer a member.
        """
        if not isinstance(request, UpdateLastMessage):
            raise errors.BadRequest("request_unknown")
        account = require_account(connection)
        conversation = await self._require_conversation(request.id, account.member_id)
        seq = await self._repository.find_seq(conversation.group.id, request.message_id)
        if seq is None:
            raise errors.NotFound("message_not_found")
        await handlers.handle(connection, room_requests.MarkRead(room=conversation.group.name, seq=seq))
        moved = self._views.build_conversation(
            await self._require_conversation(request.id, account.member_id), account.id
        )
        connection.push(encode_event(UpdateLastMessage.event, moved))
        return moved

    def encode_result(self, result: Any) -> bytes:
        """Return the conversation as JSON, without `ok`."""
        return msgspec.json.encode(result)

    async def _require_conversation(self, conversation_id: int, member_id: str) -> ConversationRecord:
        """Return a conversation of a member.

        Raises:
            NotFound: The conversation does not exist, or belongs to another member.
        """
        conversation = await self._repository.find_conversation(conversation_id, member_id)
        if conversation is None:
            raise errors.NotFound("room_not_found")
        return conversation
