"""Read marker of an account in one room (docs/protocol.md, "Unread messages").

- Source: the join response, responses of `mark_read`, messages of the account, and moves by its other connections.
- Order: a response of `mark_read` never replaces a later marker, except with `unread`.
"""

from tui_chat.client.events import ReadMarker, ReadMarkerChanged
from tui_chat.client.room_context import RoomContext
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.protocol.responses import ReadMarkerMoved, ReadState
from tui_chat.protocol.room_requests import MarkRead


class RoomReadMarker:
    """Read marker of one room, available as `Room.read_marker`.

    Each marker that is set emits `ReadMarkerChanged`, even an equal one; the removal of the marker does not.

    Attributes:
        state: Newest marker of the server; None for a guest, in an observed room and before the join.
    """

    def __init__(self, context: RoomContext, room_log: RoomLog) -> None:
        self.state: ReadMarker | None = None
        self._context = context
        self._log = room_log

    async def mark_read(self, seq: int, *, unread: bool = False) -> ReadMarker:
        """Move the marker on the server to `seq`, and return the resulting marker.

        A lower `seq` has no effect without `unread`. The result becomes `state`, unless `state` is later and `unread`
        is not set.

        Args:
            seq: `seq` of the newest read entry.
            unread: Move the marker to a lower `seq` too, so that later messages become unread.

        Raises:
            Forbidden: The user is a guest.
            ChatError: The server rejected the request or is basic, the room was left, or no response arrived in time.
        """
        request = MarkRead(room=self._context.name, seq=seq, unread=unread)
        read = (await self._context.request(request, ReadMarkerMoved)).read
        if unread or self.state is None or read.seq >= self.state.seq:
            self.set(read, self._log.last)
        return to_marker(read, self._log.last)

    def set(self, read: ReadState | None, last_seq: int) -> None:
        """Set a received marker and emit `ReadMarkerChanged`; clear the marker for None, without an event."""
        if read is None:
            self.state = None
            return
        previous, self.state = self.state, to_marker(read, last_seq)
        self._context.client.emit(ReadMarkerChanged(self._context.name, self.state, previous))

    def on_push(self, read: ReadState) -> None:
        """Set the marker after a move by another connection of the account."""
        self.set(read, self._log.last)

    def on_own_message(self, seq: int) -> None:
        """Move the marker to a message of the account, as the server does; no effect for a guest."""
        if self.state is not None and seq > self.state.seq:
            self.set(ReadState(seq=seq, unread=0, mentions=0), seq)


def to_marker(read: ReadState, last_seq: int = 0) -> ReadMarker:
    """Return a received marker without negative counts; `last_seq` as in `ReadMarker`."""
    return ReadMarker(read.seq, max(0, read.unread), max(0, read.mentions), last_seq)
