"""Position of an event stream during reads of the log."""

from typing import Any, cast

from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.gateway.event_stream import EVENT_STREAM, EventStream, deliver_to_streams
from server.storage.log_reader import LogReader
from tui_chat.protocol.events import Message
from tui_chat.protocol.responses import HistoryPage


class EmptiedLog:
    """Log without entries at the first read, during which `entry` is published to a stream.

    Attributes:
        reads: Position of each read.
    """

    def __init__(self) -> None:
        self.entry = Message(room="tea", seq=3, id=3, nick_name="ann", member_id="ann", message="new", ts=0)
        self.registry = RoomRegistry[ClientConnection]()
        connection = ClientConnection(lambda _: None, lambda _: None, "", "127.0.0.1", {})
        self.stream = EventStream(connection, self.registry, cast(LogReader, self), 1_000_000, lambda: None)
        self.room = self.registry.observe(connection, "tea", EVENT_STREAM)
        self.reads: list[int] = []

    async def read_page(self, _room_key: str, *, after: int, **_options: Any) -> HistoryPage:
        self.reads.append(after)
        if len(self.reads) == 1:
            deliver_to_streams(self.room, self.entry, self.room.subscribers[EVENT_STREAM])
            return HistoryPage(messages=[], has_more=False, log_id="log", first_seq=3, last_seq=2)
        return HistoryPage(messages=[self.entry], has_more=False, log_id="log", first_seq=3, last_seq=3)


async def test_an_entry_during_the_read_of_a_log_emptied_by_retention_is_sent() -> None:
    log = EmptiedLog()
    log.stream.start(log.room, after=0, newest_seq=2)
    assert await log.stream.read(0.0) == b""
    events = await log.stream.read(0.0)
    assert events is not None
    assert events.startswith(b"id: 3\nevent: message\n")
    assert log.reads == [0, 2]
