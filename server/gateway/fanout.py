"""From one piece of news to everybody in the room: encoded once for each form that is read there.

A push only puts the finished frame behind what the connection has yet to get.
The engine joins what one tick owes a connection into one write, so neither a
task nor an encoding is made per recipient. A form that nobody in the room reads
is not even looked at.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from server.domain.room_registry import LiveRoom
from server.engineio import packets
from server.engineio.connection import ClientConnection
from server.engineio.frames import Frame
from tui_chat.protocol import events
from tui_chat.protocol.codec import encode_push

MembershipNotice = events.JoinNotice | events.LeaveNotice | events.NickNotice

RoomEvent = events.Entry | MembershipNotice | events.PresencePush | events.TypingPush
"""What happens in a room, as the native form has it."""


class DialectSink(Protocol):
    """A form in which connections read (`server.gateway.dialects.dialect`)."""

    def deliver(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
    ) -> None:
        """Push the news to these readers in this form, or leave it when the form has no words for it."""
        ...


def encode_push_frame(event: str, body: events.WireStruct) -> Frame:
    """The push as everybody gets it."""
    return Frame(packets.encode_event(encode_push(event, body)))


class Fanout:
    """Tells rooms what happens in them.

    Args:
        forms: By the name under which a room knows its readers.
    """

    def __init__(self, dialects: Mapping[str, DialectSink]) -> None:
        self._dialects = dialects

    def send_to_room(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, exclude: ClientConnection | None = None
    ) -> None:
        """Tell every connection in the room, except one."""
        for dialect, subscribers in room.subscribers.items():
            if exclude is None or exclude not in subscribers:
                self._dialects[dialect].deliver(room, room_event, subscribers)
            else:
                self._dialects[dialect].deliver(
                    room, room_event, [recipient for recipient in subscribers if recipient is not exclude]
                )

    def send_to_one(self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipient: ClientConnection) -> None:
        """Tell one of the room's connections."""
        for dialect, subscribers in room.subscribers.items():
            if recipient in subscribers:
                self._dialects[dialect].deliver(room, room_event, (recipient,))
