"""Changes outside the logs, and pushes to accounts, between the nodes of one database.

- Changes: accounts, tokens, blocks, deletions of rooms, and renames without an entry.
- Addresses: before a ban, a node requests the keyed hash of the address of a guest from the other nodes.
- Pushes: read markers and blocks for the other devices of an account, and direct rooms for absent members.
"""

import asyncio
from contextlib import suppress

from server.cluster.bus import Bus
from server.cluster.control_messages import (
    AccountPush,
    AccountsChanged,
    ControlChannel,
    ControlMessage,
    DirectMessageSent,
    GuestAddress,
    GuestAddressRequest,
    RoomsChanged,
)
from server.cluster.log_follower import LogFollower
from server.engineio.packets import Frame
from server.gateway.account_service import AccountService
from server.gateway.account_sync import AccountSync
from server.gateway.handlers import Handlers
from server.storage.database import Database
from tui_chat.protocol import events, names

_ADDRESS_TIMEOUT = 0.5  # seconds for the response of another node


class NodeControl:
    """Sender and receiver of control messages; the constructor sets the callbacks of the gateway and the storage.

    Args:
        bus: Message bus.
        follower: Follower of the logs.
        database: Storage of accounts and blocks.
        handlers: Request handlers.
        account_service: Operations on accounts.
    """

    def __init__(
        self,
        bus: Bus,
        follower: LogFollower,
        database: Database,
        handlers: Handlers,
        account_service: AccountService,
    ) -> None:
        self._channel = ControlChannel(bus, self._receive)
        self._follower = follower
        self._contacts = handlers.contacts
        self._tokens = account_service.tokens
        self._account_sync = AccountSync(
            database.accounts, account_service, handlers.contacts, is_bus_healthy=lambda: bus.is_healthy
        )
        self._guest_addresses = handlers.access_control.guest_addresses
        self._address_waiters: set[tuple[str, asyncio.Event]] = set()  # member ids and events of running requests
        bus.on_connect.append(self._on_connect)
        database.accounts.on_change = database.direct_rooms.on_change = self._on_account_change
        self._tokens.on_push = self._on_push
        self._contacts.on_announce = self._on_announce
        handlers.moderation.request_address = self._request_address
        handlers.room_catalog.on_rename = self._on_rename
        handlers.room_catalog.on_deletion = self._on_deletion

    async def run(self) -> None:
        """Subscribe to the messages, and apply the changes of accounts; never returns."""
        await self._channel.open()
        await self._account_sync.run()

    def _receive(self, message: ControlMessage) -> None:
        """Apply a message of another node; a request for an unknown address has no response."""
        match message:
            case AccountsChanged():
                self._account_sync.wake()
            case RoomsChanged():
                self._follower.poll_soon()
            case AccountPush(account_id=account_id, packet=packet):
                frame = Frame(packet.encode())
                for connection in self._tokens.list_connections(account_id):
                    connection.push(frame)
            case DirectMessageSent(room=room, members=members):
                self._contacts.push_direct_room(room, members)
            case GuestAddressRequest(member_id=member_id):
                if self._guest_addresses.is_known(member_id):
                    self._channel.send(GuestAddress(member_id, self._guest_addresses.hash_of_guest(member_id)))
            case GuestAddress(member_id=member_id, address_hash=address_hash):
                if address_hash is not None:
                    self._guest_addresses.record_hash(member_id, address_hash)
                for requested_id, response in self._address_waiters:
                    if requested_id == member_id:
                        response.set()

    async def _request_address(self, member_id: str) -> None:
        """Request the address hash of a guest from the other nodes; wait for a response, at most `_ADDRESS_TIMEOUT`."""
        response = asyncio.Event()
        waiter = (member_id, response)
        self._address_waiters.add(waiter)
        self._channel.send(GuestAddressRequest(member_id))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_ADDRESS_TIMEOUT):
                    await response.wait()
        finally:
            self._address_waiters.discard(waiter)

    def _on_connect(self) -> None:
        """Start a read of account changes on this node, and of account and room changes on all other nodes."""
        self._account_sync.wake()
        for message in (AccountsChanged(), RoomsChanged()):  # earlier ones of this node may be lost
            self._channel.send(message)

    def _on_account_change(self) -> None:
        self._channel.send(AccountsChanged())

    def _on_push(self, account_id: int, frame: Frame) -> None:
        self._channel.send(AccountPush(account_id, frame.polling_bytes.decode()))

    def _on_announce(self, room_name: str, members: list[events.MemberRef]) -> None:
        self._channel.send(DirectMessageSent(room_name, members))

    def _on_rename(self, key: str, new_name: str) -> None:
        self._follower.rename(key, names.canonical_key(new_name))
        self._channel.send(RoomsChanged())

    def _on_deletion(self, key: str) -> None:
        self._follower.unfollow(key)
        self._channel.send(RoomsChanged())
