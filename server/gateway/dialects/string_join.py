"""Dialect with `joinRoom "tea"` and `message` as a plain string (docs/dialects.md).

Members without a nickname appear as `guest`, `guest2` and so on in other dialects. Clients send messages with the
native `sendMessage`.
"""

from typing import ClassVar

import msgspec

from server.domain.live_room import LiveRoom
from server.engineio.connection import ClientConnection
from server.engineio.packets import Frame, encode_event
from server.gateway.dialects.dialect import Dialect, decode_payload
from server.gateway.fanout import RoomEvent
from server.gateway.notice_texts import format_notice_room
from tui_chat.protocol import codec, events, names, requests

_GUEST = "guest"

_FIRST_BYTES = {bytes((byte,)) for byte in b'"-0123456789'}


class StringJoinDialect(Dialect):
    """Dialect with string payloads."""

    name: ClassVar[str] = "string_join"

    def matches(self, event: str, arguments: list[msgspec.Raw]) -> bool:
        """Return whether the event is a join with a string or a number, by the first byte of the argument."""
        return event == "joinRoom" and bool(arguments) and bytes(arguments[0])[:1] in _FIRST_BYTES

    def decode(self, connection: ClientConnection, event: str, arguments: list[msgspec.Raw]) -> requests.Request:
        """Decode a join with a room name and an optional nickname.

        The room may be a number, the nickname a whole number. Further arguments are ignored. A missing or empty
        nickname, and one of another type, becomes `guest`.

        Raises:
            BadRequest: An argument cannot be decoded.
            NickInvalid: The nickname is invalid.
            RoomInvalid: The room name is invalid.
            TooLong: The nickname or the room name exceeds its limit.
        """
        room, nick = (
            codec.number_to_text(decode_payload(object, arguments[position : position + 1])) for position in (0, 1)
        )
        return requests.JoinRoom(
            room_name=str(room), nick_name=nick if nick and isinstance(nick, str) else _GUEST, limit=1
        )

    def encode_push(self, room: LiveRoom[ClientConnection], room_event: RoomEvent) -> Frame | None:
        """Return messages without their author, and notices, as plain text; None for other events.

        For a member of this dialect without a nickname, a join is anonymous, and a leave yields None.
        """
        match room_event:
            case events.JoinNotice(via=self.name, nick_name=nick, more=more) if _is_guest(nick):
                subject = f"新用户等 {more + 1} 人" if more else "新用户"
                return encode_event(events.MESSAGE, f"{subject}加入了{format_notice_room(room)}")
            case events.LeaveNotice(via=self.name, nick_name=nick) if _is_guest(nick):
                return None  # the dialect has no text for the leave of a nameless member
            case events.Message() | events.JoinNotice() | events.LeaveNotice() | events.NickNotice():
                return encode_event(events.MESSAGE, room_event.message)
            case _:
                return None


def _is_guest(nick: str) -> bool:
    """Return whether a nickname is `guest`, with or without a number."""
    return nick == _GUEST or names.has_suffix(nick, _GUEST)
