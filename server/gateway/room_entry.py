"""Joins, observations and leaves of rooms, with their state for new readers (docs/protocol.md, "Rooms").

- Other nodes: the delivery of their entries starts before the read of the log, and the nickname is claimed before the
  presence push.
- Join order: the permission check precedes the entry into the room, and the read of the log follows it, so that
  entries missing from the snapshot arrive as pushes.
- Revocations: an entry between the check and the read raises `StaleAccess`, and the join is repeated. A later one
  removes the member at its publication.
- Membership after `await`: the connection may close during any `await`; check membership again afterwards.
"""

from collections.abc import Awaitable, Callable

from msgspec import structs

from server.domain.account_directory import Account
from server.domain.live_room import LiveRoom, Participant
from server.domain.log_commands import AppendMemberChange, StaleAccess, to_member_ref
from server.domain.permissions import Role
from server.domain.room_access import AccessState
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import encode_event
from server.engineio.tick_limiter import TickLimiter
from server.gateway.direct_contacts import DirectContacts
from server.gateway.identity import IdentityResolver
from server.gateway.presence_broadcaster import PresenceBroadcaster
from server.gateway.request_handler import RequestHandlers
from server.gateway.room_access import RoomAccessControl, to_wire_policy
from server.storage.database import Database
from server.storage.log_reader import JoinSnapshot, RoomRecord
from tui_chat.protocol import errors, events, names, requests, responses

_JOINS_PER_TICK = 4  # responses to joins and observations per event loop tick; each has members and a page of messages

_ROLE_NAMES = {Role.MEMBER: "member", Role.MODERATOR: "moderator", Role.OWNER: "owner", Role.ADMIN: "admin"}


class RoomEntry:
    """Handlers of joins, observations and leaves; a rejected request raises a `ChatError`.

    Args:
        database: Storage of rooms and entries.
        identity: Source of member ids.
        room_registry: Rooms with members.
        access_control: Permission checks.
        contacts: Checks of direct rooms.
        presence_broadcaster: Sender of joins and leaves.
        upload_max_bytes: Maximum size of a file, 0 for no uploads.

    Attributes:
        handlers_by_type: Request handlers other than `join`, by request type.
        follow_room: Starts the delivery of entries and presence of other nodes to the readers of a room, by canonical
            key; None for a single node.
    """

    def __init__(
        self,
        database: Database,
        identity: IdentityResolver,
        room_registry: RoomRegistry[ClientConnection],
        *,
        access_control: RoomAccessControl,
        contacts: DirectContacts,
        presence_broadcaster: PresenceBroadcaster,
        upload_max_bytes: int,
    ) -> None:
        self._database = database
        self._identity = identity
        self._room_registry = room_registry
        self._access_control = access_control
        self._contacts = contacts
        self._presence_broadcaster = presence_broadcaster
        self._upload_max_bytes = upload_max_bytes
        self._join_limiter = TickLimiter(_JOINS_PER_TICK)
        self.follow_room: Callable[[str], Awaitable[None]] | None = None
        self.handlers_by_type: RequestHandlers = {
            requests.LeaveRoom: self._leave,
            requests.Observe: self.observe,
            requests.Unobserve: self._unobserve,
        }

    async def join(
        self, connection: ClientConnection, request: requests.JoinRoom, *, dialect: str, client_kind: str | None
    ) -> responses.JoinResponse:
        """Add a connection to a room and announce the member.

        A failed first join leaves the room again, without a join notice; a stored membership stays. A repeated join
        returns a full response again and announces only a new nickname or client; a new nickname stays, even after a
        failure. Further connections of an announced member are not announced. The join ends an observation of the room
        by the connection, which may receive pushes before the response. A nickname in use or reserved yields one with a
        suffix. An account joins with the nickname of the account, becomes a durable member (except in the audit room),
        and receives no guest key.

        Args:
            connection: Connection of the client.
            request: Room, nickname, invite, guest key, and the position after which entries are missing.
            dialect: Name of the dialect for pushes to this connection.
            client_kind: `via` of the member; None for native clients.

        Raises:
            BadRequest: The connection has too many rooms, or is in the room as a different member.
            NotFound: The room is not visible, or is an address and the connection left the room during the join.
            Forbidden: The person is banned, may not create the room, or is a guest in no common room with another
                member of the direct room.
            Unavailable: The room is being changed, the database is not readable or overloaded, or the connection
                closed.
            NotJoined: The connection closed or left the room during the join.
            StaleAccess: The access changed during the join.
        """
        member_id = self._identity.resolve_member_id(connection, request.guest_key)
        account = connection.account
        member = events.MemberRef(
            member_id=member_id,
            nick_name=request.nick_name if account is None else account.nick_name,
            account=None if account is None else account.name,
        )
        state = await self._access_control.authorize_join(connection, request.room_name, member, request.invite)
        direct = await self._contacts.load(request.room_name, member_id, state.access.policy)
        _require_open(connection)
        was_joined = self._room_registry.find_participant(connection, request.room_name) is not None
        join_result = self._room_registry.join(
            connection,
            request.room_name,
            member_id,
            member.nick_name,
            dialect=dialect,
            client_kind=client_kind,
            account=member.account,
        )
        room = join_result.room
        room.direct = room.direct or direct
        self._access_control.apply_access(room, join_result.participant, state)
        try:
            if self.follow_room is not None:
                await self.follow_room(room.key)
                await self._presence_broadcaster.claim_nick(room, join_result.participant, member.nick_name)
                self._room_registry.require_membership(connection, room.name)
                if not join_result.is_new:  # the claim may have changed the nickname
                    self._presence_broadcaster.on_status_change(room, join_result.participant)
            self._presence_broadcaster.on_join(join_result)
            snapshot = await self._database.reader.read_join_snapshot(
                room.key,
                since=request.since,
                limit=request.limit,
                reader=member_id,
                marker_of=None if account is None else member_id,
            )
            await self._join_limiter.acquire()
            room, participant = self._room_registry.require_membership(connection, room.name)
            view = self._build_view(room, snapshot, state, participant)
        except BaseException:
            if not was_joined and connection in room.connections:
                self._presence_broadcaster.on_leave(self._room_registry.leave(connection, room.name))
            if join_result.participant.connections or join_result.participant.nodes:
                self._presence_broadcaster.on_status_change(room, join_result.participant)
            raise
        self._presence_broadcaster.send_join_notice(room, participant, connection)
        return responses.JoinResponse(
            **structs.asdict(view),
            nick_name=participant.member.nick_name,
            member_id=member_id,
            guest_key=self._identity.issue_guest_key(connection, member_id),
            read=snapshot.read,
            upload_max_bytes=self._upload_max_bytes,
        )

    def on_member_change(self, room: LiveRoom[ClientConnection], entry: events.MemberChange) -> None:
        """Remove the connections and observers of a person after the durable leave of a room with an address."""
        if entry.action == "left" and names.is_room_address(room.name):
            self.remove_member(room, entry.target.member_id)

    def on_policy_change(self, room: LiveRoom[ClientConnection], entry: events.PolicyChange) -> None:
        """Apply a new title or name, and send `roomRenamed` to the native readers after a new name."""
        if entry.title is not None:
            room.title = entry.title
        if entry.new_name is not None:
            self.rename_room(room.key, entry.new_name)

    def on_account_change(self, account: Account) -> None:
        """Read the standing of an account in its rooms again, for a new server role.

        An account that is not an administrator leaves `AUDIT_ROOM`, and the leave is announced.
        """
        for room in list(self._room_registry.rooms.values()):
            if room.key == names.AUDIT_ROOM and account.role != "admin":
                self.remove_member(room, account.member_id)
            elif (participant := room.participants.get(account.member_id)) is not None:
                self._access_control.invalidate_standing(participant)

    def remove_member(self, room: LiveRoom[ClientConnection], member_id: str) -> None:
        """Remove all connections and observers of a person from a room, and announce the leave."""
        for connection in room.list_subscribers():
            if self.get_member_id(room, connection) == member_id:
                self.remove_connection(room, connection)

    def rename_room(self, room_key: str, new_name: str) -> None:
        """Apply a new name to a live room, if any; native readers receive `roomRenamed`.

        A room without storage that has members under the new name, who joined on another server during the rename, is
        closed.
        """
        room = self._room_registry.rooms.get(room_key)
        if room is None:
            return
        new_key = names.canonical_key(new_name)
        if new_key != room_key and self._room_registry.count_members(new_key):
            self.close_room(new_key)
        frame = encode_event(events.ROOM_RENAMED, events.RoomRenamedPush(room=room.name, new_name=new_name))
        self._room_registry.rename(room, new_name)
        for reader in room.subscribers.get("native", ()):
            reader.push(frame)

    def close_room(self, room_key: str) -> None:
        """Remove all members and observers of a deleted or replaced room, and push `roomRemoved`; announce no leave.

        Without effect for a room that is not live.
        """
        room = self._room_registry.rooms.get(room_key)
        if room is None:
            return
        frame = encode_event(events.ROOM_REMOVED, events.RoomRemovedPush(room=room.name))
        for member in list(room.connections):
            self._presence_broadcaster.on_room_removed(self._room_registry.leave(member, room.name))
            member.push(frame)
        for observer in self._room_registry.end_observations(room_key):
            observer.push(frame)

    def get_member_id(self, room: LiveRoom[ClientConnection], connection: ClientConnection) -> str | None:
        """Return the member id of a connection or observer of a room; None for an observer without one."""
        participant = room.connections.get(connection)
        return self._identity.get_member_id(connection) if participant is None else participant.member.member_id

    def remove_connection(self, room: LiveRoom[ClientConnection], connection: ClientConnection) -> None:
        """Remove a connection or observer from a room, and announce the leave of a member."""
        if connection in room.connections:
            self._presence_broadcaster.on_leave(self._room_registry.leave(connection, room.name))
        else:
            self._room_registry.unobserve(connection, room.name)

    async def observe(
        self, connection: ClientConnection, request: requests.Observe, dialect: str = "native"
    ) -> responses.ObserveResponse:
        """Subscribe a connection to the pushes of a room without membership, and return the state of the room.

        A failed first observation ends again. A joined room stays joined.

        Args:
            connection: Connection of the client.
            request: Room, and the position after which entries are missing.
            dialect: Name of the dialect for pushes to this connection.

        Raises:
            BadRequest: The connection has too many rooms.
            NotFound, Forbidden, Unavailable, NotJoined, StaleAccess: As in `join`.
        """
        member_id = self._identity.get_member_id(connection) or ""
        state = await self._access_control.authorize(connection, request.room, member_id)
        await self._contacts.load(request.room, member_id, state.access.policy)
        _require_open(connection)
        was_observer = self._room_registry.is_observer(connection, request.room)
        room = self._room_registry.observe(connection, request.room, dialect)
        try:
            if self.follow_room is not None:
                await self.follow_room(room.key)
            snapshot = await self._database.reader.read_join_snapshot(
                room.key, since=request.since, limit=request.limit
            )
            await self._join_limiter.acquire()
            return self._build_view(self._room_registry.require_reader(connection, request.room), snapshot, state)
        except BaseException:
            if not was_observer:
                self._room_registry.unobserve(connection, request.room)
            raise

    async def _unobserve(self, connection: ClientConnection, request: requests.Unobserve) -> responses.Empty:
        """End an observation, if any; a joined room stays joined."""
        self._room_registry.unobserve(connection, request.room)
        return responses.Empty()

    async def _leave(self, connection: ClientConnection, request: requests.LeaveRoom) -> responses.Empty:
        """Remove a connection from a room, and announce the leave of the member with its last connection.

        With `forget`, the durable membership ends first, even on a connection that has not joined the room.

        Raises:
            NotJoined, NotFound: The connection is not in the room; with `forget`, as in `_end_membership`.
            Forbidden, Conflict: As in `_end_membership`.
        """
        if request.forget:
            await self._end_membership(connection, request.room)
        if not request.forget or self._room_registry.find_participant(connection, request.room) is not None:
            self._presence_broadcaster.on_leave(self._room_registry.leave(connection, request.room))
        return responses.Empty()

    async def _end_membership(self, connection: ClientConnection, room_name: str) -> None:
        """Append the durable leave of a person, who need not have joined on this connection.

        Without effect for a person without a membership, and in a room that is not stored and has a name.

        Raises:
            NotFound: The room is not visible.
            Forbidden: The room is a direct one, whose members stay; the person is banned; or the room is not stored and
                the person may not create rooms.
            Conflict: The person is the last owner.
        """
        author = self._identity.build_room_author(connection, room_name)
        state = await self._access_control.authorize(connection, room_name, author.member_id)
        if state.access.policy.visibility == "direct":
            raise errors.Forbidden("not_in_direct_room")
        member = to_member_ref(author)
        room = self._room_registry.get_ref(room_name)
        try:
            await self._database.journal.append(
                AppendMemberChange(room=room, author=author, action="left", target=member)
            )
        except errors.NotFound:
            if names.is_room_address(room_name):
                raise

    def _build_view(
        self,
        room: LiveRoom[ClientConnection],
        snapshot: JoinSnapshot,
        state: AccessState,
        participant: Participant[ClientConnection] | None = None,
    ) -> responses.ObserveResponse:
        """Return the state of a room for a new reader, with `participant` among the members; update `room`.

        Update and errors are those of `build_room_state`.
        """
        return responses.ObserveResponse(
            room=build_room_state(
                room,
                snapshot.room,
                state,
                role=None if participant is None else get_role_name(state),
            ),
            members=[present.member for present in room.list_prominent(participant)],
            member_count=len(room.participants),
            messages=snapshot.entries,
            has_more=snapshot.has_more,
        )


def get_role_name(state: AccessState) -> str | None:
    """Return the role of a person in a room for clients, None for a guest without a membership."""
    return _ROLE_NAMES.get(state.standing.role)


def build_room_state(
    room: LiveRoom[ClientConnection], stored_room: RoomRecord | None, state: AccessState, role: str | None
) -> responses.RoomState:
    """Return the state of a room for a reader, and replace name, title and log id of `room` with the stored ones.

    A room that is not stored has an empty log and no topic.

    Args:
        room: Room, live or not.
        stored_room: Room in storage, None for a room that is not stored.
        state: Access of the reader.
        role: Role of the reader, None for a guest or an observer.

    Raises:
        StaleAccess: The permission check preceded a change of the room.
    """
    access = state.access if stored_room is None else stored_room.access
    if access.policy_seq != state.access.policy_seq or (stored_room is None and access.policy_seq):
        raise StaleAccess(room.key)
    if stored_room is not None:
        room.name, room.title, room.log_id = stored_room.name, stored_room.title, stored_room.log_id
    return responses.RoomState(
        name=room.name,
        topic=stored_room.topic if stored_room else "",
        log_id=room.log_id,
        first_seq=stored_room.first_seq if stored_room else 1,
        last_seq=stored_room.last_seq if stored_room else 0,
        visibility=access.policy.visibility,
        title=room.title or None,
        policy=to_wire_policy(access.policy),
        role=role,
    )


def _require_open(connection: ClientConnection) -> None:
    """Raise `Unavailable` for a closed connection."""
    if not connection.is_open:
        raise errors.Unavailable("connection_closed")
