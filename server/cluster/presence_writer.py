"""Writes of the members of this node, with claims of their nicknames.

- Order: a write contains the current state of its member, so that changes may be combined and repeated.
- Nicknames: the database rejects the nickname of another member, and the member of this node gets the next suffix. An
  account gets its nickname back when the guest with this nickname has lost it. Members of this node whose writes are
  rejected for the rows of each other keep the nicknames of these rows.
- Announcement: the other nodes receive a change after its commit.
- Outages: a failed write is repeated by the next call.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from msgspec import json

from server.cluster.presence_exchange import PresenceChanges
from server.domain.live_room import LiveRoom, Participant
from server.domain.room_registry import RoomRegistry
from server.storage.presence_repository import MemberWrite, PresenceRepository, PresentMember, encode_member
from tui_chat.protocol import errors, names
from tui_chat.protocol.events import Member

_MAX_WRITES = 50  # members per transaction

_MemberKey = tuple[str, str]  # canonical key of the room, and member id


class PresenceWriter:
    """Writer of the members of this node.

    Args:
        repository: Storage of present members.
        node_id: Identifier of this node.
        registry: Rooms with readers on this node.
        send: Sends written changes to the other nodes.
        apply_member: Applies the holder of a nickname on another node: room, member and node id.
        on_rename: Called with each member whose nickname the writer has changed, except during the claim of a join.

    Attributes:
        wakeup: Set by each recorded change; the caller of `write_changes` clears it.
    """

    def __init__(
        self,
        repository: PresenceRepository,
        node_id: str,
        registry: RoomRegistry[Any],
        *,
        send: Callable[[PresenceChanges], None],
        apply_member: Callable[[LiveRoom[Any], Member, str], None],
        on_rename: Callable[[LiveRoom[Any], Participant[Any]], None],
    ) -> None:
        self._repository = repository
        self._node_id = node_id
        self._registry = registry
        self._send = send
        self._apply_member = apply_member
        self._on_rename = on_rename
        self._dirty: dict[_MemberKey, None] = {}
        self._writing: frozenset[_MemberKey] = frozenset()
        self._waiters: defaultdict[_MemberKey, list[asyncio.Future[None]]] = defaultdict(list)
        self._written: dict[_MemberKey, str] = {}  # JSON text of the row of this node, empty for an unknown one
        self._requested: dict[_MemberKey, str] = {}  # nicknames before the suffixes of a repeated claim
        self._reserved: dict[_MemberKey, str] = {}  # nicknames of accounts that guests on other nodes have
        self._rejected: set[_MemberKey] = set()  # members whose last write was rejected
        self.wakeup = asyncio.Event()

    def record_change(self, room_key: str, member_id: str) -> None:
        """Mark the state of a member for the next `write_changes`, and set `wakeup`."""
        self._dirty[room_key, member_id] = None
        self.wakeup.set()

    async def claim(self, room_key: str, member_id: str, requested: str) -> None:
        """Wait for the write of the state of a member; a nickname in use yields `requested` with the next suffix.

        Raises:
            Unavailable: The database failed, or `close` was called during the wait.
        """
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[room_key, member_id].append(waiter)
        self._requested[room_key, member_id] = requested
        self.record_change(room_key, member_id)
        await waiter

    def is_pending(self, room_key: str, member_id: str) -> bool:
        """Return whether the state of a connected member is newer than its row, or its row is unknown."""
        key = room_key, member_id
        return key in self._dirty or key in self._writing or key not in self._written

    def record_row(self, room_key: str, member: Member) -> None:
        """Record the row of this node for a member, as another node has changed it or as it was read."""
        self._written[room_key, member.member_id] = encode_member(member)

    def repeat(self, room_key: str, member_id: str) -> None:
        """Mark a member whose row may be missing or have another nickname for a write, even without a change."""
        self._written[room_key, member_id] = ""
        self.record_change(room_key, member_id)

    def move_members(self, room: LiveRoom[Any], old_key: str, new_key: str) -> None:
        """Mark the present and written members of a renamed room for writes under both keys.

        The writes remove the rows under the old key, and those of former members under the new key.
        """
        connected_ids = {participant.member.member_id for participant in room.connections.values()}
        for member_id in connected_ids | {written_id for key, written_id in self._written if key == old_key}:
            self.record_change(old_key, member_id)
            self.repeat(new_key, member_id)

    def _restore_account_nicks(self) -> None:
        """Assign the reserved nicknames of accounts that guests on other nodes have lost since.

        A reservation ends with the assignment, with the leave of the account, or when the nickname of the account is no
        longer the reserved one with a suffix.
        """
        for key, nick in list(self._reserved.items()):
            room = self._registry.rooms.get(key[0])
            participant = None if room is None else room.participants.get(key[1])
            if room is None or participant is None or not names.has_suffix(participant.member.nick_name, nick):
                del self._reserved[key]
            elif room.find_by_nick(names.canonical_key(nick)) is None:
                del self._reserved[key]
                if self._registry.change_nick(room, participant, nick) is not None:
                    self._on_rename(room, participant)
                self.record_change(*key)

    async def write_changes(self) -> None:
        """Write all recorded changes in batches, send them to the other nodes and complete their claims.

        Claims of a failed batch fail, and its changes remain recorded.

        Raises:
            Unavailable: The database failed.
        """
        self._restore_account_nicks()
        while self._dirty:
            await self._write_batch()

    def close(self) -> None:
        """Fail all waiting claims with `Unavailable`."""
        self._fail_waiters(list(self._waiters))

    async def _write_batch(self) -> None:
        """Write at most `_MAX_WRITES` changes in one transaction, publish them and complete their claims.

        A change with a nickname in use is recorded again with the next suffix, and its claim waits. After a failure,
        which is raised, all changes of the batch are recorded again, and their claims fail.
        """
        batch = list(islice(self._dirty, _MAX_WRITES))
        for key in batch:
            del self._dirty[key]
        writes = [write for key in batch if (write := self._build_write(*key)) is not None]
        self._writing = frozenset(batch)
        try:
            holders = await self._repository.write(writes) if writes else []
        except BaseException:
            self._dirty = dict.fromkeys(batch) | self._dirty
            self._fail_waiters(batch)
            raise
        finally:
            self._writing = frozenset()
        written: list[MemberWrite] = []
        for write, holder in zip(writes, holders, strict=True):
            if holder is None:
                self._confirm(write)
                written.append(write)
            else:
                self._resolve_conflict(write, holder)
        self._publish(written)
        for key in batch:
            if key not in self._dirty:
                self._requested.pop(key, None)
                self._rejected.discard(key)
                for waiter in self._waiters.pop(key, ()):
                    if not waiter.done():
                        waiter.set_result(None)

    def _build_write(self, room_key: str, member_id: str) -> MemberWrite | None:
        """Return the write of the current state of a member; None for a written state and an absent one without a row.

        An absent member, and one with a row and without connections to this node, yield the removal of the row.
        """
        room = self._registry.rooms.get(room_key)
        participant = None if room is None else room.participants.get(member_id)
        written = self._written.get((room_key, member_id))
        is_connected = participant is not None and bool(participant.connections)
        if participant is None or (written is not None and not is_connected):
            return None if written is None else MemberWrite(room_key, member_id, "", None, is_connected=False)
        text = encode_member(participant.member)
        if text == written:
            return None
        return MemberWrite(room_key, member_id, participant.nick_key, text, is_connected)

    def _confirm(self, write: MemberWrite) -> None:
        """Record the row of a committed write, and assign its nickname in the room, if it is still that of the member.

        A removal forgets the row; a change of a member without connections to this node records none.
        """
        if write.member is None:
            self._written.pop((write.room_key, write.member_id), None)
            return
        if write.is_connected:
            self._written[write.room_key, write.member_id] = write.member
        room = self._registry.rooms.get(write.room_key)
        participant = None if room is None else room.participants.get(write.member_id)
        if room is not None and participant is not None and participant.nick_key == write.nick_key:
            room.assign_nick(participant, participant.member.nick_name, write.nick_key)  # even after a late message

    def _resolve_conflict(self, write: MemberWrite, holder: PresentMember) -> None:
        """Assign the nickname to its holder, and the next suffix to the member of this node.

        A member with another nickname by now keeps it. In both cases, the member is recorded for another write.
        `on_rename` is called for each renamed member, except during the claim of a join. An account reserves the
        nickname of a guest, and gets it when the guest has lost it.
        """
        key, holder_id = (write.room_key, write.member_id), holder.member.member_id
        holder_key = write.room_key, holder_id
        room = self._registry.rooms.get(write.room_key)
        participant = None if room is None else room.participants.get(write.member_id)
        if holder.node_id == self._node_id:
            self.record_row(write.room_key, holder.member)
            self.record_change(*holder_key)  # before the member: the holder may have left
        if room is not None and participant is not None and participant.nick_key == write.nick_key:
            current = room.participants.get(holder_id)
            if holder.node_id != self._node_id:
                self._apply_member(room, holder.member, holder.node_id)
            elif current is not None and current.nick_key == write.nick_key:
                room.assign_nick(current, current.member.nick_name, current.nick_key)
            elif current is not None and holder_key in self._rejected:  # the members request the rows of each other
                room.assign_nick(current, holder.member.nick_name, write.nick_key)
                if current.announced or holder_key not in self._waiters:
                    self._on_rename(room, current)
            requested = self._requested.setdefault(key, participant.member.nick_name)
            if participant.member.account is not None and holder.member.account is None:
                self._reserved[key] = requested
            old_nick = self._registry.change_nick(room, participant, requested)
            if old_nick is not None and (participant.announced or key not in self._waiters):
                self._on_rename(room, participant)
        self._rejected.add(key)
        self.record_change(*key)

    def _publish(self, written: Iterable[MemberWrite]) -> None:
        """Send one message per room with the committed writes."""
        by_room = defaultdict[str, PresenceChanges](lambda: PresenceChanges(""))
        for write in written:
            if write.room_key not in by_room:
                by_room[write.room_key] = PresenceChanges(write.room_key, present=[], changed=[], left=[])
            changes = by_room[write.room_key]
            if write.member is None:
                changes.left.append(write.member_id)
            else:
                member = json.decode(write.member, type=Member)
                (changes.present if write.is_connected else changes.changed).append(member)
        for changes in by_room.values():
            self._send(changes)

    def _fail_waiters(self, keys: Iterable[_MemberKey]) -> None:
        """Fail the waiting claims of members with `Unavailable`."""
        for key in keys:
            for waiter in self._waiters.pop(key, ()):
                if not waiter.done():
                    waiter.set_exception(errors.Unavailable("storage_unwritable"))
