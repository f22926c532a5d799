"""Owned rooms: creation, policies, deletion, memberships of accounts and invites (docs/protocol.md, "Rooms").

- Ownership: only an explicit creation by an account gives a room an owner, in the transaction of the creation.
- Addresses: the server generates the address of a private room; a chosen name is never an address.
- Rates: creations, renames and deletions share the rate limits of `RoomCatalog`.
"""

import secrets
from collections.abc import Callable
from urllib.parse import quote, urlencode, urlsplit

from msgspec import structs

from server.domain.log_commands import AppendCreation, AppendMemberChange, AppendPolicyChange, RoomRef, to_member_ref
from server.domain.permissions import Action
from server.domain.room_access import AccessState
from server.domain.room_addresses import generate_room_address
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.gateway.device_tokens import hash_secret
from server.gateway.identity import IdentityResolver, require_account
from server.gateway.request_handler import RequestHandlers
from server.gateway.room_access import RoomAccessControl
from server.gateway.room_catalog import RoomCatalog, require_no_address
from server.gateway.room_entry import RoomEntry
from server.storage.database import Database
from tui_chat.protocol import errors, events, limits, names, requests, responses, room_requests
from tui_chat.protocol.policies import PolicyFields

_INVITE_BYTES = 16
_POLICY_FIELDS = PolicyFields.__struct_fields__


class RoomAdmin:
    """Handlers of requests for owned rooms; a rejected request raises a `ChatError`.

    Args:
        database: Storage of rooms and invites.
        identity: Source of member ids.
        room_registry: Rooms with members.
        access_control: Permission checks.
        room_entry: Join of the creator.
        room_catalog: Rate limits of room changes.
        now: Wall clock, as Unix time in milliseconds.

    Attributes:
        handlers_by_type: Request handlers by request type.
    """

    def __init__(
        self,
        database: Database,
        identity: IdentityResolver,
        room_registry: RoomRegistry[ClientConnection],
        *,
        access_control: RoomAccessControl,
        room_entry: RoomEntry,
        room_catalog: RoomCatalog,
        now: Callable[[], int],
    ) -> None:
        self._database = database
        self._identity = identity
        self._room_registry = room_registry
        self._access_control = access_control
        self._room_entry = room_entry
        self._room_catalog = room_catalog
        self._now = now
        self.handlers_by_type: RequestHandlers = {
            room_requests.CreateRoom: self._create_room,
            room_requests.UpdateRoom: self._update_room,
            room_requests.SetPolicy: self._set_policy,
            room_requests.DeleteRoom: self._delete_room,
            room_requests.MyRooms: self._list_memberships,
            room_requests.CreateInvite: self._create_invite,
            room_requests.ListInvites: self._list_invites,
            room_requests.RevokeInvite: self._revoke_invite,
        }

    async def create(
        self,
        connection: ClientConnection,
        room_name: str | None,
        title: str | None,
        policy: PolicyFields,
        *,
        topic: str = "",
    ) -> str:
        """Create a room with the account of the connection as owner, who does not join; return its name or address.

        Args:
            connection: Connection of the owner.
            room_name: Name of a public or unlisted room, None for a private room.
            title: Title of a private room, None for other rooms.
            policy: Values other than the defaults.
            topic: First topic, possibly empty.

        Raises:
            Forbidden: The connection has no account, or the account may not create rooms.
            RoomInvalid: The name is an address.
            Conflict: A room with this name exists, has members, or is being changed.
            RateLimited: A write rate is exceeded.
        """
        require_account(connection)
        self._access_control.require_room_creation(connection)
        if room_name is not None:
            require_no_address(room_name)
        name = room_name or generate_room_address()
        key = names.canonical_key(name)
        with self._room_registry.lock_rooms("room_exists", key):
            self._room_catalog.acquire_write(connection)
            live_room = self._room_registry.rooms.get(key)
            await self._database.journal.append(
                AppendCreation(
                    room=RoomRef(key=key, name=name) if live_room is None else live_room.to_ref(),
                    author=self._identity.build_author(connection),
                    policy=policy,
                    title=title or "",
                    topic=topic,
                )
            )
        return name

    async def rename(self, connection: ClientConnection, room_name: str, new_name: str) -> int:
        """Change the name of a room, even with members present, and return the `seq` of the change.

        Raises as `_change`.
        """
        return await self._change(connection, room_name, PolicyFields(), new_name=new_name)

    async def delete(self, connection: ClientConnection, room_name: str) -> int:
        """Delete a room with its log, remove all readers, and return the last `seq`.

        All readers receive `roomRemoved`; no leave is announced.

        Raises:
            NotFound, Forbidden: As in `_authorize`.
            RateLimited: A write rate is exceeded.
            StaleAccess: The access changed between the check and the write.
        """
        state = await self._authorize(connection, room_name, Action.DELETE_ROOM)
        self._room_catalog.acquire_write(connection)
        key = names.canonical_key(room_name)
        last_seq = await self._database.rooms.delete_with_log(key, state.access.policy_seq)
        self._room_catalog.on_deletion(key)
        self._room_entry.close_room(key)
        return last_seq

    async def _create_room(
        self, connection: ClientConnection, request: room_requests.CreateRoom
    ) -> responses.JoinResponse:
        """Create a room, and join the room as its owner; after a failed join, the room stays.

        Raises:
            Forbidden: The connection has no account.
            BadRequest: The connection has joined or observes too many rooms.
            ChatError: The creation or the join is rejected (`create`, `RoomEntry.join`).
        """
        account = require_account(connection)
        if self._room_registry.count_rooms(connection) >= limits.ROOMS_PER_CONNECTION:
            raise errors.BadRequest("too_many_joined_rooms", limit=limits.ROOMS_PER_CONNECTION)
        name = await self.create(connection, request.room_name, request.title, _get_policy_fields(request))
        join = requests.JoinRoom(room_name=name, nick_name=account.nick_name)
        return await self._room_entry.join(connection, join, dialect="native", client_kind=None)

    async def _update_room(
        self, connection: ClientConnection, request: room_requests.UpdateRoom
    ) -> responses.ChangeAccepted:
        """Append a change of policy, name or title; raises as `_change`."""
        revision = await self._change(
            connection,
            request.room,
            _get_policy_fields(request),
            new_name=request.room_name,
            title=request.title,
        )
        return responses.ChangeAccepted(revision=revision)

    async def _set_policy(
        self, connection: ClientConnection, request: room_requests.SetPolicy
    ) -> responses.ChangeAccepted:
        """Append a change of the policy; raises as `_change`."""
        revision = await self._change(connection, request.room, _get_policy_fields(request))
        return responses.ChangeAccepted(revision=revision)

    async def _delete_room(
        self, connection: ClientConnection, request: room_requests.DeleteRoom
    ) -> responses.ChangeAccepted:
        return responses.ChangeAccepted(revision=await self.delete(connection, request.room))

    async def _change(
        self,
        connection: ClientConnection,
        room_name: str,
        changes: PolicyFields,
        new_name: str | None = None,
        title: str | None = None,
    ) -> int:
        """Append a change of a room, and return its `seq`; without any new value, return the newest `seq` of the room.

        Args:
            connection: Connection of the requester, who need not have joined.
            room_name: Validated room name or address.
            changes: New values of the policy.
            new_name: New name of a room with a name; requires a token of the write rates.
            title: New title of a private room.

        Raises:
            NotFound, Forbidden: As in `_authorize`.
            BadRequest: A title for a room with a name, or a name for a room with an address.
            RoomInvalid: The new name is an address.
            Conflict: The change of the visibility is not possible; or a room with the new name exists, has members or
                is being changed.
            RateLimited: A write rate is exceeded.
            StaleAccess: The access changed between the check and the write.
        """
        has_new_name = new_name is not None or title is not None
        state = await self._authorize(connection, room_name, Action.RENAME if has_new_name else Action.CHANGE_POLICY)
        has_address = names.is_room_address(room_name)
        if (has_address and new_name is not None) or (not has_address and title is not None):
            raise errors.BadRequest("room_name_or_title")
        if changes.visibility not in (None, state.access.policy.visibility) and (
            has_address or changes.visibility not in ("public", "unlisted")
        ):
            raise errors.Conflict("visibility_fixed")
        command = AppendPolicyChange(
            room=self._room_registry.get_ref(room_name),
            author=self._identity.build_author(connection),
            policy_seq=state.access.policy_seq,
            changes=changes,
            title=title,
        )
        if new_name is None:
            return (await self._database.journal.append(command)).entry.seq
        require_no_address(new_name)
        new_room = RoomRef(key=names.canonical_key(new_name), name=new_name)
        other_keys = {new_room.key} - {command.room.key}
        with self._room_registry.lock_rooms("room_exists", *other_keys):
            self._room_catalog.acquire_write(connection)
            rename_command = structs.replace(command, new_room=new_room)
            return (await self._database.journal.append(rename_command)).entry.seq

    async def _list_memberships(self, connection: ClientConnection, _: room_requests.MyRooms) -> responses.OwnRoomList:
        """Return the rooms in which an account is a durable member, latest activity first.

        Raises:
            Forbidden: The connection has no account.
        """
        account = require_account(connection)
        return responses.OwnRoomList(rooms=await self._database.reader.list_memberships(account.member_id))

    async def _create_invite(
        self, connection: ClientConnection, request: room_requests.CreateInvite
    ) -> responses.InviteCreated:
        """Create an invite with a log entry, and return the invite with its code, which is not stored, and its URL.

        Raises:
            NotFound, Forbidden: As in `_authorize`; `NotFound` for an invite that is invalid after the append.
            StaleAccess: The access changed between the check and the write.
        """
        state = await self._authorize(connection, request.room, Action.INVITE)
        code = secrets.token_urlsafe(_INVITE_BYTES)
        digest = hash_secret(code)
        command = self._build_invite_change(connection, request.room, state, "inviteCreated")
        until = self._now() + 1000 * request.expires_in
        await self._database.journal.append(
            structs.replace(command, invite_digest=digest, invite_uses=request.uses, until=until)
        )
        invite = await self._database.invites.find_valid(names.canonical_key(request.room), digest)
        if invite is None:  # the room is deleted or renamed, or the invite is revoked, after the append
            raise errors.NotFound("invite_not_found")
        return responses.InviteCreated(
            invite=responses.Invite(
                id=str(invite.id),
                uses=invite.uses_left,
                expires_at=invite.expires_at,
                code=code,
                url=_build_invite_url(connection, request.room, code),
            )
        )

    async def _list_invites(
        self, connection: ClientConnection, request: room_requests.ListInvites
    ) -> responses.InviteList:
        """Return the valid invites of a room without their codes; raises as `_authorize`."""
        await self._authorize(connection, request.room, Action.MANAGE_INVITES)
        valid = await self._database.invites.list_valid(names.canonical_key(request.room))
        return responses.InviteList(
            invites=[
                responses.Invite(id=str(invite.id), uses=invite.uses_left, expires_at=invite.expires_at)
                for invite in valid
            ]
        )

    async def _revoke_invite(
        self, connection: ClientConnection, request: room_requests.RevokeInvite
    ) -> responses.Empty:
        """Revoke an invite of a room with a log entry.

        Raises:
            NotFound, Forbidden: As in `_authorize`; `NotFound` without an invite with this id.
            StaleAccess: The access changed between the check and the write.
        """
        state = await self._authorize(connection, request.room, Action.MANAGE_INVITES)
        invite_id = int(request.id) if request.id.isdecimal() and request.id.isascii() else 0
        if invite_id > limits.SEQ_MAX:
            raise errors.NotFound("invite_not_found")
        command = self._build_invite_change(connection, request.room, state, "inviteRevoked")
        append_result = await self._database.journal.append(structs.replace(command, invite_id=invite_id))
        if append_result.duplicate:
            raise errors.NotFound("invite_not_found")
        return responses.Empty()

    def _build_invite_change(
        self, connection: ClientConnection, room_name: str, state: AccessState, action: events.MemberAction
    ) -> AppendMemberChange:
        """Return the command of a change of invites, without the fields of the invite; the author is the target."""
        author = self._identity.build_room_author(connection, room_name)
        return AppendMemberChange(
            room=self._room_registry.get_ref(room_name),
            author=author,
            policy_seq=state.access.policy_seq,
            action=action,
            target=to_member_ref(author),
        )

    async def _authorize(self, connection: ClientConnection, room_name: str, action: Action) -> AccessState:
        """Check a permission in a stored room with the stored access.

        Raises:
            NotFound: The room does not exist or is not visible.
            Forbidden: The action is not permitted.
        """
        member_id = self._identity.get_member_id(connection) or ""
        return await self._access_control.authorize(connection, room_name, member_id, action, must_exist=True)


def _get_policy_fields(request: PolicyFields) -> PolicyFields:
    """Return the policy fields of a request, without its other fields."""
    return PolicyFields(**{name: getattr(request, name) for name in _POLICY_FIELDS})


def _build_invite_url(connection: ClientConnection, room_name: str, code: str) -> str | None:
    """Return the `chat` or `chats` URL of a room with an invite code; None without a `server_origin`."""
    if connection.server_origin is None:
        return None
    origin = urlsplit(connection.server_origin)
    scheme = "chats" if origin.scheme == "https" else "chat"
    default_port = 443 if origin.scheme == "https" else 80
    host = f"[{origin.hostname}]" if ":" in (origin.hostname or "") else origin.hostname
    return f"{scheme}://{host}:{origin.port or default_port}/{quote(room_name, safe='~')}?{urlencode({'invite': code})}"
