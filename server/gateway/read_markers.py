"""Read markers and mentions of accounts (docs/protocol.md, "Unread messages").

- Devices: all connections of an account share one read marker per room. A move is pushed to the other connections.
- Guests: the client of a guest stores the read markers, not the server.
"""

from msgspec import structs

from server.domain.search_cursors import SearchCursors
from server.engineio.connection import ClientConnection
from server.engineio.packets import encode_event
from server.gateway.device_tokens import DeviceTokens
from server.gateway.identity import require_account
from server.gateway.request_handler import RequestHandlers
from server.storage.read_markers import ReadMarkerRepository
from tui_chat.protocol import errors, events, names, responses, room_requests

_MENTIONS_QUERY = ""  # query in cursors of mentions; a search never has an empty query


class ReadMarkers:
    """Handlers of read markers and mentions; a rejected request raises a `ChatError`.

    Args:
        repository: Storage of read markers and mentions.
        device_tokens: Source of the connections of an account.
        cursors: Encoder and decoder of cursors.

    Attributes:
        handlers_by_type: Request handlers by request type.
    """

    def __init__(self, repository: ReadMarkerRepository, device_tokens: DeviceTokens, cursors: SearchCursors) -> None:
        self._repository = repository
        self._device_tokens = device_tokens
        self._cursors = cursors
        self.handlers_by_type: RequestHandlers = {
            room_requests.MarkRead: self._mark_read,
            room_requests.ListMentions: self._list_mentions,
        }

    async def _mark_read(
        self, connection: ClientConnection, request: room_requests.MarkRead
    ) -> responses.ReadMarkerMoved:
        """Move the read marker of an account within the stored entries, and return the marker after the commit.

        A marker moves back only with `request.unread`. A move is pushed to the other connections of the account.

        Raises:
            Forbidden: The connection has no account.
            NotFound: `request.room` is a room address, and the account has no membership of the room.
            NotJoined: The account has no membership of a room with a name.
        """
        account = require_account(connection)
        room_key = names.canonical_key(request.room)
        move = await self._repository.move(room_key, account.member_id, request.seq, may_decrease=request.unread)
        if move is None:
            if names.is_room_address(request.room):
                raise errors.NotFound("room_not_found")
            raise errors.NotJoined("room_not_joined")
        if move.is_moved:
            push = events.ReadMarkerPush(room=move.room, **structs.asdict(move.read))
            self._device_tokens.push_to_others(account.id, connection, encode_event(events.READ_MARKER, push))
        return responses.ReadMarkerMoved(read=move.read)

    async def _list_mentions(
        self, connection: ClientConnection, request: room_requests.ListMentions
    ) -> responses.MentionList:
        """Return a page of mentions of an account in the rooms of its memberships, newest first.

        A page may be empty although `has_more` is True (`ReadMarkerRepository.list_mentions`).

        Raises:
            Forbidden: The connection has no account.
            BadRequest: The cursor is invalid.
        """
        account = require_account(connection)
        cursor = request.cursor
        result = await self._repository.list_mentions(
            account.member_id,
            before=None if cursor is None else self._cursors.decode(cursor, _MENTIONS_QUERY, None),
            limit=request.limit,
        )
        end = result.next_before
        return responses.MentionList(
            messages=result.messages,
            has_more=end is not None,
            next=None if end is None else self._cursors.encode(end, _MENTIONS_QUERY, None),
        )
