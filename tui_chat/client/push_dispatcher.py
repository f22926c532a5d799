"""Dispatch of the server's pushes to the rooms."""

from typing import Any

from tui_chat.client import sanitize
from tui_chat.client.events import (
    BlockChanged,
    DirectRoomAnnounced,
    NoticeReceived,
    ReadMarkerChanged,
    RoomRenamed,
    TypingChanged,
)
from tui_chat.client.log import log
from tui_chat.client.net.basic_codec import decode_basic_push
from tui_chat.client.room import Room
from tui_chat.client.room_context import ClientContext
from tui_chat.client.room_directory import RoomDirectory
from tui_chat.client.room_read_marker import to_marker
from tui_chat.protocol import events, names
from tui_chat.protocol.codec import decode_error, decode_push
from tui_chat.protocol.errors import ChatError, Forbidden, NotFound
from tui_chat.protocol.responses import ReadState

RoomPush = (
    events.MessagePush
    | events.Update
    | events.PresencePush
    | events.TypingPush
    | events.RoomRenamedPush
    | events.RoomRemovedPush
)
"""Pushes of one room."""

_REMOVALS = ("member_kicked", "member_banned")  # reasons of errors that end a membership


class PushDispatcher:
    """Decoder and dispatcher of pushes."""

    def __init__(self, context: ClientContext, rooms: RoomDirectory) -> None:
        self._context = context
        self._rooms = rooms

    def dispatch(self, event: str, body: bytes) -> None:
        """Apply a push to its room or to the connector, or emit an event; never raises.

        Invalid and unknown pushes are only logged, and those of rooms outside the directory are ignored, except read
        markers and announcements of direct rooms. Unexpected exceptions are reported.
        """
        transport = self._context.connector.gate.value
        try:
            if transport is not None and transport.basic_room is not None:
                self._apply_basic(transport.basic_room, event, body)
            elif event == events.ERROR:
                self._apply_error(decode_error(body))
            else:
                self._apply(decode_push(event, body))
        except ChatError as error:
            # Includes pushes of basic servers without `seq` and kinds of later protocol versions.
            log.debug("push %s ignored: %s", event, type(error).__name__)
        except Exception as error:
            self._context.tasks.report(f"handler of {event}", error)

    def _apply_basic(self, room_key: str, event: str, body: bytes) -> None:
        """Apply a message of a basic server, which names no room, to the room with this key; ignore other pushes."""
        push = decode_basic_push(event, body)
        if push is None:
            return
        for room in self._rooms:
            if room.membership.context.key == room_key:
                room.membership.on_basic_push(push)

    def _apply(self, push: events.WireStruct) -> None:
        """Apply a push.

        The announcement of a direct room sets its title, and emits `DirectRoomAnnounced` unless the directory has the
        room. A marker of a room outside the directory only emits `ReadMarkerChanged`. An invalid room name raises
        `ChatError`.
        """
        if isinstance(push, events.GoingAwayPush):
            self._context.connector.on_going_away(push.reconnect_after)
            return
        if isinstance(push, events.DirectRoomPush):
            title = self._context.name_direct_room(push.room, map(sanitize.received, push.direct))
            if self._rooms.get(push.room) is None:
                self._context.emit(DirectRoomAnnounced(push.room, title))
            return
        if isinstance(push, events.ReadMarkerPush):
            self._apply_read_marker(push)
            return
        if isinstance(push, events.BlockPush):
            self._context.emit(BlockChanged(sanitize.member_id(push.member.member_id), push.on))
            return
        if not isinstance(push, RoomPush):
            log.debug("push ignored: no handler for %s", type(push).__name__)
            return
        room = self._rooms.get(push.room)
        if room is not None:
            self._apply_to_room(room, push)

    def _apply_to_room(self, room: Room, push: RoomPush) -> None:
        """Apply a push to its room, or emit an event; ignore typing indicators of the user."""
        match push:
            case events.RoomRenamedPush():
                self._rename(room, names.validate_room_name(push.new_name))
            case events.RoomRemovedPush():
                room.membership.on_lost(NotFound("room_removed"))
            case events.PresencePush():
                room.membership.on_presence(push)
            case events.TypingPush():
                if push.member_id != room.member_id:
                    self._context.emit(TypingChanged(room.name, sanitize.member_id(push.member_id), push.on))
            case events.JoinNotice() | events.LeaveNotice() | events.NickNotice():
                self._context.emit(NoticeReceived(sanitize.received(push)))
            case _:
                room.membership.on_push(push)

    def _apply_read_marker(self, push: events.ReadMarkerPush) -> None:
        read = ReadState(seq=push.seq, unread=push.unread, mentions=push.mentions)
        room = self._rooms.get(push.room)
        if room is not None:
            room.read_marker.on_push(read)
        else:
            self._context.emit(ReadMarkerChanged(sanitize.room_name(push.room), to_marker(read), None))

    def _apply_error(self, error: ChatError) -> None:
        """Close the room of a kick or ban in the directory, with `RoomLost`; only log any other error.

        The error becomes a `Forbidden` of the same reason, with the title of the room as `room`.
        """
        room = self._rooms.get(str(error.params.get("room", ""))) if error.reason in _REMOVALS else None
        if room is None:
            log.debug("error push ignored: %s", error.reason)
        else:
            params: dict[str, Any] = {**error.params, "room": room.title}
            room.membership.on_lost(Forbidden(error.reason, **params))

    def _rename(self, room: Room, new_name: str) -> None:
        """Rename a room and emit `RoomRenamed`.

        No effect if the directory has another room of this name, and no event for an equal name.
        """
        old_name = room.name
        self._rooms.rename(room, new_name)
        if room.name != old_name:
            self._context.emit(RoomRenamed(old_name, room.name))
