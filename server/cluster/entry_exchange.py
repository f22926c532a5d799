"""Exchange of committed entries and log positions with the other nodes, over the message bus.

- Entries: one message per room and transaction, on the channel of the room. Entries above the size limit of the bus are
  announced by their position.
- Positions: a node repeats the position of each room after its last entry, so that the loss of a last message is
  detected. The positions of an outage of the bus are sent after the reconnection.
- Access: entries that change permissions are sent to all nodes too, because each node caches the restricted rooms.
"""

from collections.abc import Callable, Sequence

import msgspec

from server.cluster.bus import Bus
from server.cluster.messages import decode_message, hash_key
from tui_chat.protocol import events

_DIGEST_REPETITIONS = 3  # messages with the position of a room after its last entry
_DIGEST_ROOMS = 150  # rooms per message, below the size limit of every bus

_ROOM_CHANNEL = "room:"  # followed by the hash of the key
_DIGEST_CHANNEL = "positions"
_ACCESS_CHANNEL = "access"

_ACCESS_ENTRIES = (events.MemberChange, events.PolicyChange)


class CommittedEntries(msgspec.Struct, frozen=True, rename="camel"):
    """Entries of one room that a node has committed.

    Attributes:
        room: Canonical key of the room.
        last_seq: `seq` of the newest committed entry.
        entries: Committed entries in ascending order, or those of them that change permissions; empty above the size
            limit.
    """

    room: str
    last_seq: int
    entries: list[events.Entry] = []


_encode = msgspec.json.Encoder().encode
_entries_decoder = msgspec.json.Decoder(CommittedEntries)
_positions_decoder = msgspec.json.Decoder(dict[str, int])  # newest seq by room hash


class EntryExchange:
    """Sender and receiver of entries and positions.

    Args:
        bus: Message bus.
        on_entries: Receiver of the entries of a subscribed room.
        on_position: Receiver of the position of a subscribed room: canonical key and `seq`.
        on_access: Receiver of entries that change permissions in any room, in any order.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        on_entries: Callable[[CommittedEntries], None],
        on_position: Callable[[str, int], None],
        on_access: Callable[[Sequence[events.Entry]], None],
    ) -> None:
        self._bus = bus
        self._on_entries = on_entries
        self._on_position = on_position
        self._on_access = on_access
        self._keys: dict[str, str] = {}  # canonical keys of subscribed rooms by hash
        self._active: dict[str, tuple[int, int]] = {}  # by key: newest seq, number of further messages

    async def open(self) -> None:
        """Subscribe to the channels of all nodes."""
        await self._bus.subscribe(_DIGEST_CHANNEL, self._receive_positions)
        await self._bus.subscribe(_ACCESS_CHANNEL, self._receive_access)

    async def subscribe(self, key: str) -> None:
        """Receive the entries of a room; returns after the subscription is effective."""
        room_hash = hash_key(key)
        self._keys[room_hash] = key
        await self._bus.subscribe(_ROOM_CHANNEL + room_hash, self._receive_entries)

    async def unsubscribe(self, key: str) -> None:
        """Receive no further entries of a room."""
        room_hash = hash_key(key)
        self._keys.pop(room_hash, None)
        await self._bus.unsubscribe(_ROOM_CHANNEL + room_hash)

    def send(self, key: str, committed: list[events.Entry]) -> None:
        """Queue the entries of one room for the other nodes, and their position for the next `send_positions`.

        Entries that change permissions are queued a second time, for the nodes that do not follow the room.

        Args:
            key: Canonical key of the room.
            committed: At least one entry, in ascending order.
        """
        last_seq = committed[-1].seq
        body = _encode(CommittedEntries(key, last_seq, committed))
        if not self._bus.fits(body):
            body = _encode(CommittedEntries(key, last_seq))
        self._bus.publish(_ROOM_CHANNEL + hash_key(key), body)
        changes: list[events.Entry] = [entry for entry in committed if isinstance(entry, _ACCESS_ENTRIES)]
        if changes:
            self._send_access(CommittedEntries(key, last_seq, changes))
        self._active[key] = last_seq, _DIGEST_REPETITIONS

    def send_positions(self) -> None:
        """Queue the positions of the rooms with recent entries of this node; without a connection, no effect.

        A position is sent by `_DIGEST_REPETITIONS` calls after the last entry of its room.
        """
        if not self._bus.is_healthy:
            return
        positions = [(hash_key(key), seq) for key, (seq, _) in self._active.items()]
        self._active = {key: (seq, count - 1) for key, (seq, count) in self._active.items() if count > 1}
        for start in range(0, len(positions), _DIGEST_ROOMS):
            self._bus.publish(_DIGEST_CHANNEL, _encode(dict(positions[start : start + _DIGEST_ROOMS])))

    def _send_access(self, message: CommittedEntries) -> None:
        """Queue entries that change permissions, above the size limit one by one.

        A single entry above the limit is dropped.
        """
        body = _encode(message)
        if self._bus.fits(body):
            self._bus.publish(_ACCESS_CHANNEL, body)
        elif len(message.entries) > 1:
            for entry in message.entries:
                self._send_access(CommittedEntries(message.room, message.last_seq, [entry]))

    def _receive_entries(self, _sender: str, body: bytes) -> None:
        message = decode_message(_entries_decoder, body)
        if message is not None:
            self._on_entries(message)

    def _receive_access(self, _sender: str, body: bytes) -> None:
        message = decode_message(_entries_decoder, body)
        if message is not None:
            self._on_access(message.entries)

    def _receive_positions(self, _sender: str, body: bytes) -> None:
        for room_hash, seq in (decode_message(_positions_decoder, body) or {}).items():
            if room_hash in self._keys:
                self._on_position(self._keys[room_hash], seq)
