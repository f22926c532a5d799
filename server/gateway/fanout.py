"""Fan-out of room events: one encoding per distinct frame of a dialect, one queued frame per recipient.

The send queue of each session batches the writes, so a recipient costs neither a task nor an
encoding. Dialects without subscribers in the room cost nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from server.domain.live_room import LiveRoom
from server.engineio.connection import ClientConnection
from tui_chat.protocol import events

MembershipNotice = events.JoinNotice | events.LeaveNotice | events.NickNotice

RoomEvent = events.Entry | MembershipNotice | events.PresencePush | events.TypingPush
"""Event of a room, as defined by the native protocol."""


class DialectSink(Protocol):
    """Encoder and sender of room events for one dialect (`server.gateway.dialects.dialect`)."""

    def deliver(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipients: Iterable[ClientConnection]
    ) -> None:
        """Push a room event to recipients; ignore events unsupported by the dialect.

        Args:
            room: Room of the event.
            room_event: Event to encode.
            recipients: Subscribers of the room in this dialect.
        """


class Fanout:
    """Sender of room events to all dialects.

    Args:
        dialects: Dialects by name.
    """

    def __init__(self, dialects: Mapping[str, DialectSink]) -> None:
        self._dialects = dialects

    def send_to_room(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, exclude: ClientConnection | None = None
    ) -> None:
        """Queue an event for all connections and observers of a room except `exclude`.

        The pushes precede later responses. Recipients whose dialect does not support the event receive nothing.
        """
        for dialect, subscribers in room.subscribers.items():
            recipients = (
                [recipient for recipient in subscribers if recipient is not exclude]
                if exclude in subscribers
                else subscribers
            )
            self._dialects[dialect].deliver(room, room_event, recipients)

    def send_to_one(self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipient: ClientConnection) -> None:
        """Queue an event for one connection or observer of a room.

        Without effect for other connections.
        """
        for dialect, subscribers in room.subscribers.items():
            if recipient in subscribers:
                self._dialects[dialect].deliver(room, room_event, (recipient,))
