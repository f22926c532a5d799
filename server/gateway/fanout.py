"""Fan-out of room events: one encoding per distinct frame of a dialect, one queued frame per recipient.

Dialects without subscribers in the room cost nothing.
"""

from collections.abc import Callable, Iterable, Mapping

from server.domain.live_room import LiveRoom
from server.engineio.connection import ClientConnection
from server.gateway.file_lines import FileLines
from tui_chat.protocol import events

MembershipNotice = events.JoinNotice | events.LeaveNotice | events.NickNotice

RoomEvent = events.Entry | MembershipNotice | events.PresencePush | events.TypingPush
"""Event of a room, as defined by the native protocol."""


DeliverEvent = Callable[[LiveRoom[ClientConnection], RoomEvent, Iterable[ClientConnection]], None]
"""Function that pushes an event to subscribers of a room in one dialect, such as `Dialect.deliver`."""


class Fanout:
    """Sender of room events to all dialects.

    Args:
        deliver_by_dialect: Functions by the name of a dialect in `LiveRoom.subscribers`.

    Attributes:
        file_lines: Renderer of files for basic clients.
    """

    def __init__(self, deliver_by_dialect: Mapping[str, DeliverEvent], file_lines: FileLines) -> None:
        self._deliver_by_dialect = deliver_by_dialect
        self.file_lines = file_lines

    def send_to_room(
        self, room: LiveRoom[ClientConnection], room_event: RoomEvent, exclude: ClientConnection | None = None
    ) -> None:
        """Queue an event for all connections and observers of a room; the pushes precede later responses.

        Basic clients receive the files of a message as lines of its text (`FileLines.group`).

        Args:
            room: Room of the event.
            room_event: Event to send.
            exclude: Connection that does not receive the event; None for a message.
        """
        if type(room_event) is events.Message and room_event.attachments:
            for dialect, subscribers in room.subscribers.items():
                for message, group in self.file_lines.group(room, room_event, subscribers):
                    self._deliver_by_dialect[dialect](room, message, group)
            return
        for dialect, subscribers in room.subscribers.items():
            recipients = (
                [recipient for recipient in subscribers if recipient is not exclude]
                if exclude in subscribers
                else subscribers
            )
            self._deliver_by_dialect[dialect](room, room_event, recipients)

    def send_to_one(self, room: LiveRoom[ClientConnection], room_event: RoomEvent, recipient: ClientConnection) -> None:
        """Queue an event for one connection or observer of a room; without effect for other connections."""
        for dialect, subscribers in room.subscribers.items():
            if recipient in subscribers:
                self._deliver_by_dialect[dialect](room, room_event, (recipient,))
