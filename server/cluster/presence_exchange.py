"""Exchange of present members and typing indicators with the other nodes, over the message bus.

- Changes: one message per room and batch, on the channel of the room. A batch above the size limit of the bus is split
  into one message per member, without the typing indicators.
- Departed nodes: the ids of stopped and dead nodes are sent to all nodes.
"""

from collections.abc import Callable, Sequence

import msgspec

from server.cluster.bus import Bus
from server.cluster.messages import decode_message, hash_key
from tui_chat.protocol.events import Member

_ROOM_CHANNEL = "members:"  # followed by the hash of the key
_NODES_CHANNEL = "departed"


class PresenceChanges(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Changes of the members of one room.

    Attributes:
        room: Canonical key of the room.
        present: Current state of members with connections to the sender.
        changed: Current state of members without connections to the sender.
        left: Ids of members without further connections to the sender.
        typing: Start or end of typing indicators by member id.
    """

    room: str
    present: list[Member] = []
    changed: list[Member] = []
    left: list[str] = []
    typing: dict[str, bool] = {}

    def split(self) -> list["PresenceChanges"]:
        """Return one message per changed member, without the typing indicators."""
        parts = [PresenceChanges(self.room, present=[member]) for member in self.present]
        parts += [PresenceChanges(self.room, changed=[member]) for member in self.changed]
        return [*parts, *(PresenceChanges(self.room, left=[member_id]) for member_id in self.left)]


_encode = msgspec.json.Encoder().encode
_changes_decoder = msgspec.json.Decoder(PresenceChanges)
_nodes_decoder = msgspec.json.Decoder(list[str])


class PresenceExchange:
    """Sender and receiver of changes of members.

    Args:
        bus: Message bus.
        on_changes: Receiver of the changes in a subscribed room: node id of the sender, and changes.
        on_nodes_departed: Receiver of the ids of stopped and dead nodes.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        on_changes: Callable[[str, PresenceChanges], None],
        on_nodes_departed: Callable[[Sequence[str]], None],
    ) -> None:
        self._bus = bus
        self._on_changes = on_changes
        self._on_nodes_departed = on_nodes_departed

    async def open(self) -> None:
        """Subscribe to the channel of departed nodes."""
        await self._bus.subscribe(_NODES_CHANNEL, self._receive_nodes)

    async def subscribe(self, key: str) -> None:
        """Receive the changes in a room; returns after the subscription is effective."""
        await self._bus.subscribe(_ROOM_CHANNEL + hash_key(key), self._receive_changes)

    async def unsubscribe(self, key: str) -> None:
        """Receive no further changes in a room."""
        await self._bus.unsubscribe(_ROOM_CHANNEL + hash_key(key))

    def send(self, changes: PresenceChanges) -> None:
        """Queue changes for the other nodes; above the size limit of the bus, as one message per member (`split`)."""
        body = _encode(changes)
        if self._bus.fits(body):
            self._bus.publish(_ROOM_CHANNEL + hash_key(changes.room), body)
            return
        for part in changes.split():
            self._bus.publish(_ROOM_CHANNEL + hash_key(changes.room), _encode(part))

    def send_departed(self, node_ids: Sequence[str]) -> None:
        """Queue the ids of stopped or dead nodes for all other nodes."""
        self._bus.publish(_NODES_CHANNEL, _encode(list(node_ids)))

    def _receive_changes(self, sender: str, body: bytes) -> None:
        changes = decode_message(_changes_decoder, body)
        if changes is not None:
            self._on_changes(sender, changes)

    def _receive_nodes(self, _sender: str, body: bytes) -> None:
        self._on_nodes_departed(decode_message(_nodes_decoder, body) or ())
