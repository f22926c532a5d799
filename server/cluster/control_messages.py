"""Control messages to all other nodes: changes outside the logs, and pushes to the members on other nodes.

- Changes: a change is stored before its message, which makes the other nodes read the database. If the message is lost,
  the next comparison with the database finds the change.
- Requests: a node with the requested value sends a response to all nodes; other nodes send none.
- Pushes: a lost message loses the push. Clients read the state again when they reconnect.
"""

from collections.abc import Callable

import msgspec

from server.cluster.bus import Bus
from server.cluster.messages import decode_message
from tui_chat.protocol import events

_CONTROL_CHANNEL = "control"


class AccountsChanged(msgspec.Struct, frozen=True, tag="accounts"):
    """Notice of a change of an account, its tokens or its blocks."""


class RoomsChanged(msgspec.Struct, frozen=True, tag="rooms"):
    """Notice of a room that was deleted, or renamed without an entry."""


class AccountPush(msgspec.Struct, frozen=True, rename="camel", tag="push"):
    """Event for the connections of an account.

    Attributes:
        account_id: Account of the recipients.
        packet: Encoded Socket.IO packet.
    """

    account_id: int
    packet: str


class DirectMessageSent(msgspec.Struct, frozen=True, tag="direct"):
    """Message in the direct room with the address `room`, for the members that have not joined the room."""

    room: str
    members: list[events.MemberRef]


class GuestAddressRequest(msgspec.Struct, frozen=True, rename="camel", tag="guestAddressRequest"):
    """Request for the address of a guest before the ban of the guest."""

    member_id: str


class GuestAddress(msgspec.Struct, frozen=True, rename="camel", tag="guestAddress"):
    """Response of a node that knows the address of a guest; `address_hash` is None for a shared address."""

    member_id: str
    address_hash: bytes | None


ControlMessage = AccountsChanged | RoomsChanged | AccountPush | DirectMessageSent | GuestAddressRequest | GuestAddress

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(ControlMessage)


class ControlChannel:
    """Sender and receiver of control messages.

    Args:
        bus: Message bus.
        receive: Receiver of the messages of other nodes.
    """

    def __init__(self, bus: Bus, receive: Callable[[ControlMessage], None]) -> None:
        self._bus = bus
        self._receive = receive

    async def open(self) -> None:
        """Subscribe to the messages of all nodes."""
        await self._bus.subscribe(_CONTROL_CHANNEL, self._on_message)

    def send(self, message: ControlMessage) -> None:
        """Queue a message; one above the size limit of the bus is dropped without a log line or a count."""
        body = _encode(message)
        if self._bus.fits(body):
            self._bus.publish(_CONTROL_CHANNEL, body)

    def _on_message(self, _sender: str, body: bytes) -> None:
        message = decode_message(_decoder, body)
        if message is not None:
            self._receive(message)
