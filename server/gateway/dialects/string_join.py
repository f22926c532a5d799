"""Dialect with `joinRoom "tea"` and `message` as a plain string (docs/dialects.md).

Members do not choose a nickname: other dialects show `guest`, `guest2` and so on. Clients send
messages with the native `sendMessage`.
"""

from typing import ClassVar

import msgspec

from server.domain.room_registry import LiveRoom
from server.engineio.connection import ClientConnection
from server.engineio.packets import Frame
from server.gateway.dialects.dialect import Dialect, decode_payload
from server.gateway.fanout import RoomEvent, encode_push_frame
from tui_chat.protocol import events, requests

_room_name_decoder = msgspec.json.Decoder(str)


class StringJoinDialect(Dialect):
    """Dialect with string payloads."""

    name: ClassVar[str] = "string_join"
    event_names: ClassVar[frozenset[str]] = frozenset({"joinRoom"})

    def matches(self, event: str, arguments: list[msgspec.Raw]) -> bool:
        """Return whether the first argument is a string."""
        return bool(arguments) and bytes(arguments[0]).startswith(b'"')

    def decode(self, connection: ClientConnection, event: str, arguments: list[msgspec.Raw]) -> requests.Request:
        """Decode a join with the guest nickname.

        Further arguments are ignored. The first guest has no suffix, and later ones have a number.
        """
        return requests.JoinRoom(room_name=decode_payload(_room_name_decoder, arguments), nick_name="guest", limit=1)

    def encode_push(self, room: LiveRoom[ClientConnection], room_event: RoomEvent) -> Frame | None:
        """Encode messages and notices as plain text.

        Leaves of members of this dialect, presence, typing and changes of messages are ignored. Joins of these members
        appear without a nickname.
        """
        match room_event:
            case events.JoinNotice(via=self.name, more=more):
                subject = f"新用户等 {more + 1} 人" if more else "新用户"
                return encode_push_frame(events.MESSAGE, f"{subject}加入了 {room.name} 房间")
            case events.LeaveNotice(via=self.name):
                return None  # the dialect has no text for the leave of a nameless member
            case events.Message() | events.JoinNotice() | events.LeaveNotice() | events.NickNotice():
                return encode_push_frame(events.MESSAGE, room_event.message)
            case _:
                return None
