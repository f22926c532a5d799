"""Pushes of the conversation dialect: every message of every group, without a join.

- Subscriptions: a connection receives the messages of the groups of its account, including groups joined later. The
  entry that ends a membership ends the subscription.
- Order: the messages of a group wait until its id is known, and are pushed in the order of their commits.
- Several nodes: the logs of all groups with subscribers are followed. After a change of a membership, the groups of the
  member are read again, because the changes of other nodes arrive in any order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from weakref import WeakSet

from msgspec import Struct, field

from server.domain.account_directory import AccountDirectory
from server.engineio.connection import ClientConnection
from server.engineio.packets import encode_event
from server.gateway.conversations.views import ViewBuilder
from server.gateway.identity import require_account
from server.storage.group_messages import MessageRecord
from server.storage.group_repository import GroupRecord, GroupRepository
from tui_chat.protocol import errors, events, names

_RETRY_DELAY = 1.0  # seconds after a failed read

_STARTING_ACTIONS = frozenset({"joined", "invited", "role"})
_ENDING_ACTIONS = frozenset({"left", "kicked", "banned"})


class _Subscription(Struct, eq=False):
    """Readers of one group.

    Attributes:
        connections: Connections of the members.
        group_id: Id of the group, None before its read.
        pending: Messages since the first reader, while the id is unknown.
    """

    connections: WeakSet[ClientConnection] = field(default_factory=WeakSet[ClientConnection])
    group_id: int | None = None
    pending: list[events.Message] = []


class _GroupLoad(Struct, eq=False):
    """Read of the groups of a member; stale initially, and after a change of a membership during the read."""

    member_id: str
    is_stale: bool = True


class GroupFeed:
    """Sender of `group-message:<id>`; requires `run` in the background.

    Args:
        repository: Storage of groups.
        accounts: Directory of all accounts.
        views: Encoder of messages.

    Attributes:
        follow_log: Starts the delivery of entries of other nodes, by canonical key; None for a single node.
    """

    def __init__(self, repository: GroupRepository, accounts: AccountDirectory, views: ViewBuilder) -> None:
        self._repository = repository
        self._accounts = accounts
        self._views = views
        self._connections: dict[str, WeakSet[ClientConnection]] = {}  # by member id
        self._subscriptions: dict[str, _Subscription] = {}  # by room address
        self._loads: set[_GroupLoad] = set()
        self._unknown_names: set[str] = set()
        self._changed_members: set[str] = set()  # member ids whose groups are read again
        self._wakeup = asyncio.Event()
        self.follow_log: Callable[[str], Awaitable[None]] | None = None

    def get_live_keys(self) -> Collection[str]:
        """Return the canonical keys of all groups with an open subscribed connection."""
        return {
            names.canonical_key(name)
            for name, subscription in self._subscriptions.items()
            if any(connection.is_open for connection in subscription.connections)
        }

    def record_changes(self, changes: Sequence[events.Entry]) -> None:
        """Schedule reads of the groups of connected members whose memberships changed; ignore other changes.

        Args:
            changes: Changes by other nodes, in any order.
        """
        for entry in changes:
            if isinstance(entry, events.MemberChange) and names.is_room_address(entry.room):
                self._reload_member(entry.target.member_id)

    def reload(self) -> None:
        """Schedule reads of the groups of all connected members."""
        for member_id in self._connections:
            self._reload_member(member_id)

    async def connect(self, connection: ClientConnection) -> None:
        """Subscribe a connection to the groups of its account.

        Raises:
            Forbidden: The connection has no account.
            Unavailable: The database is not readable.
        """
        member_id = require_account(connection).member_id
        groups = await self._load_groups(member_id)
        self._connections.setdefault(member_id, WeakSet()).add(connection)
        for group in groups:
            self._subscribe(connection, group.name, group.id)

    def disconnect(self, connection: ClientConnection) -> None:
        """Remove a closed connection; without effect for an unknown one."""
        member_id = connection.account.member_id if connection.account is not None else ""
        if (connections := self._connections.get(member_id)) is not None:
            connections.discard(connection)
            if not connections:
                del self._connections[member_id]

    def publish(self, committed: Sequence[events.Entry]) -> None:
        """Push the messages of committed entries, and apply the membership changes, in order; ignore other entries."""
        for entry in committed:
            if isinstance(entry, events.Message):
                subscription = self._subscriptions.get(entry.room)
                if subscription is not None:
                    self._push(subscription, entry)
            elif isinstance(entry, events.MemberChange) and names.is_room_address(entry.room):
                self._apply(entry)

    async def run(self) -> None:
        """Read unknown ids and changed groups on demand, and push the waiting messages; never returns.

        A failure of the database repeats the reads after `_RETRY_DELAY`.
        """
        while True:
            await self._wakeup.wait()
            self._wakeup.clear()
            try:
                await self._read_unknown_ids()
                await self._read_changed_members()
            except errors.Unavailable:  # logged by the repository
                self._wakeup.set()
                await asyncio.sleep(_RETRY_DELAY)

    async def _read_unknown_ids(self) -> None:
        """Read the unknown ids of subscribed rooms, and push the waiting messages; unsubscribe rooms without an id.

        Raises:
            Unavailable: The database is not readable.
        """
        requested = list(self._unknown_names)
        ids = await self._repository.find_room_ids(requested)
        self._unknown_names.difference_update(requested)
        for name in requested:
            self._set_group_id(name, ids.get(name))

    async def _read_changed_members(self) -> None:
        """Subscribe the connections of changed members to the stored groups, and only to these.

        Raises:
            Unavailable: The database is not readable; the remaining members stay scheduled.
        """
        for member_id in list(self._changed_members):
            groups = await self._load_groups(member_id)
            self._changed_members.discard(member_id)
            connections = self._connections.get(member_id, ())
            group_names = {group.name for group in groups}
            for name, subscription in self._subscriptions.items():
                if name not in group_names:
                    subscription.connections.difference_update(connections)
            for connection in connections:
                for group in groups:
                    self._subscribe(connection, group.name, group.id)

    async def _load_groups(self, member_id: str) -> list[GroupRecord]:
        """Return the stored groups of a member; a change of its memberships during the read repeats the read.

        In a cluster, the logs of the groups are followed before the last read.

        Raises:
            Unavailable: The database is not readable.
        """
        load = _GroupLoad(member_id)
        self._loads.add(load)
        groups: list[GroupRecord] = []
        followed: set[str] = set()
        try:
            while load.is_stale:
                load.is_stale = False
                groups = await self._repository.list_groups(member_id)
                new = {names.canonical_key(group.name) for group in groups} - followed
                if self.follow_log is not None and new:
                    await asyncio.gather(*map(self.follow_log, new))
                    followed |= new
                    load.is_stale = True  # by a change before the start of the delivery
        finally:
            self._loads.discard(load)
        return groups

    def _mark_stale(self, member_id: str) -> None:
        """Repeat the running reads of the groups of a member."""
        for load in self._loads:
            load.is_stale |= load.member_id == member_id

    def _reload_member(self, member_id: str) -> None:
        """Repeat the running reads of the groups of a member, and schedule one for open connections."""
        self._mark_stale(member_id)
        if self._connections.get(member_id):
            self._changed_members.add(member_id)
            self._wakeup.set()

    def _apply(self, entry: events.MemberChange) -> None:
        """Start or end the subscriptions of a member by a committed change of its membership.

        Running reads of its groups are repeated; in a cluster, a further read is scheduled.
        """
        member_id = entry.target.member_id
        if self.follow_log is None:
            self._mark_stale(member_id)
        else:
            self._reload_member(member_id)
        connections = self._connections.get(member_id, ())
        if entry.action in _STARTING_ACTIONS:
            for connection in connections:
                self._subscribe(connection, entry.room, None)
        elif entry.action in _ENDING_ACTIONS and (subscription := self._subscriptions.get(entry.room)) is not None:
            subscription.connections.difference_update(connections)

    def _subscribe(self, connection: ClientConnection, name: str, group_id: int | None) -> None:
        """Add a reader to a room; a `group_id` pushes the waiting messages, an unknown id is read in the background."""
        subscription = self._subscriptions.setdefault(name, _Subscription())
        subscription.connections.add(connection)
        if group_id is not None:
            self._set_group_id(name, group_id)
        elif subscription.group_id is None:
            self._unknown_names.add(name)
            self._wakeup.set()

    def _set_group_id(self, name: str, group_id: int | None) -> None:
        """Set the id of a subscribed room, and push its waiting messages; None ends the subscription."""
        subscription = self._subscriptions.get(name)
        if subscription is None:
            return
        if group_id is None:
            del self._subscriptions[name]
            return
        subscription.group_id = group_id
        pending, subscription.pending = subscription.pending, []
        for message in pending:
            self._push(subscription, message)

    def _push(self, subscription: _Subscription, message: events.Message) -> None:
        """Push a message, or queue the message while the id is unknown; remove a subscription without connections."""
        readers = [connection for connection in subscription.connections if connection.is_open]
        if not readers:
            self._subscriptions.pop(message.room, None)
        elif subscription.group_id is None:
            subscription.pending.append(message)
        else:
            record = to_message_record(message, subscription.group_id)
            frame = encode_event(f"group-message:{record.group_id}", self._views.build_message(record))
            for connection in readers:
                connection.push(frame)


def to_message_record(message: events.Message, group_id: int) -> MessageRecord:
    """Return the stored form of a committed message in the group `group_id`."""
    return MessageRecord(
        id=message.id,
        group_id=group_id,
        text=message.message,
        member_id=message.member_id,
        nick_name=message.nick_name,
        created_at=message.ts,
        updated_at=message.ts,
        attachments=message.attachments,
    )
