"""Webhooks of rooms: creation, list and revocation (docs/moderation.md, "Webhooks").

- Secret: part of the URL in the response to the creation; the server stores its SHA-256 only.
- Log: a creation and a revocation are entries of the room.
"""

import secrets

from server.domain.account_directory import AccountDirectory
from server.domain.confusables import get_skeletons
from server.domain.log_commands import AppendMemberChange
from server.domain.permissions import Action, is_permitted, require
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.gateway.device_tokens import hash_secret
from server.gateway.identity import IdentityResolver, require_account
from server.gateway.request_handler import RequestHandlers
from server.gateway.room_access import RoomAccessControl
from server.storage.database import Database
from server.storage.hook_repository import StoredHook
from tui_chat.protocol import errors, events, names, responses, room_requests

HOOKS_PATH = "/api/hooks"
"""Path of the endpoint for messages, without the final `/` and the secret."""

_SECRET_BYTES = 32


class RoomHooks:
    """Handlers of requests for webhooks; a rejected request raises a `ChatError`.

    Args:
        database: Storage of webhooks, and journal of their entries.
        identity: Source of authors and member ids.
        room_registry: Rooms with members.
        access_control: Permission checks.
        accounts: Directory of all accounts.

    Attributes:
        handlers_by_type: Request handlers by request type.
    """

    def __init__(
        self,
        database: Database,
        identity: IdentityResolver,
        room_registry: RoomRegistry[ClientConnection],
        access_control: RoomAccessControl,
        *,
        accounts: AccountDirectory,
    ) -> None:
        self._database = database
        self._identity = identity
        self._room_registry = room_registry
        self._access_control = access_control
        self._accounts = accounts
        self.handlers_by_type: RequestHandlers = {
            room_requests.CreateHook: self._create,
            room_requests.ListHooks: self._list_all,
            room_requests.RevokeHook: self._revoke,
        }

    async def _create(self, connection: ClientConnection, request: room_requests.CreateHook) -> responses.HookCreated:
        """Create a webhook with an entry in the log, and return its URL, a path without a `server_origin`.

        Raises:
            NotFound: The room does not exist or is not visible.
            Forbidden: The connection has no account, or the account is banned or may not create webhooks.
            Conflict: The name equals or resembles the name of an account, or equals that of another webhook of the
                room; or the room has too many webhooks.
            StaleAccess: The access changed between the check and the write.
        """
        account = require_account(connection)
        state = await self._access_control.authorize(
            connection, request.room, account.member_id, Action.CREATE_HOOK, must_exist=True
        )
        secret, member_id = secrets.token_urlsafe(_SECRET_BYTES), self._identity.generate_member_id()
        nick_key = names.canonical_key(request.nick_name)
        is_confusable = self._accounts.is_confusable(get_skeletons(request.nick_name, nick_key), member_id)
        if is_confusable or self._accounts.find(nick_key) is not None:
            raise errors.Conflict("hook_name_in_use")
        await self._database.journal.append(
            AppendMemberChange(
                room=self._room_registry.get_ref(request.room),
                author=self._identity.build_author(connection),
                policy_seq=state.access.policy_seq,
                action="hookCreated",
                target=events.MemberRef(member_id=member_id, nick_name=request.nick_name, bot=True),
                hook_digest=hash_secret(secret),
            )
        )
        return responses.HookCreated(id=member_id, url=f"{connection.server_origin or ''}{HOOKS_PATH}/{secret}")

    async def _list_all(self, connection: ClientConnection, request: room_requests.ListHooks) -> responses.HookList:
        """Return the webhooks that a person may revoke, without their secrets; raises as `_load_revocable`."""
        hooks, _ = await self._load_revocable(connection, request.room)
        return responses.HookList(
            hooks=[
                responses.Hook(
                    id=hook.member_id,
                    nick_name=hook.nick_name,
                    created_by=self._describe_creator(hook.created_by),
                    created_at=hook.created_at,
                )
                for hook in hooks
            ]
        )

    async def _revoke(
        self, connection: ClientConnection, request: room_requests.RevokeHook
    ) -> responses.ChangeAccepted:
        """Revoke a webhook with an entry in the log, and return the `seq` of the entry.

        Raises:
            NotFound: The requester may revoke no webhook with this id, or the room is not visible.
            Forbidden: As in `_load_revocable`.
            StaleAccess: The access changed between the check and the write.
        """
        hooks, policy_seq = await self._load_revocable(connection, request.room)
        hook = next((hook for hook in hooks if hook.member_id == request.id), None)
        if hook is None:
            raise errors.NotFound("hook_not_found")
        append_result = await self._database.journal.append(
            AppendMemberChange(
                room=self._room_registry.get_ref(request.room),
                author=self._identity.build_author(connection),
                policy_seq=policy_seq,
                action="hookRevoked",
                target=events.MemberRef(member_id=hook.member_id, nick_name=hook.nick_name, bot=True),
            )
        )
        return responses.ChangeAccepted(revision=append_result.entry.seq)

    async def _load_revocable(self, connection: ClientConnection, room_name: str) -> tuple[list[StoredHook], int]:
        """Return the webhooks that a person may revoke, and the `policy_seq` of the check.

        These are all webhooks of the room with the permission `MANAGE_HOOKS`, otherwise those that the person created.

        Raises:
            NotFound: The room does not exist or is not visible.
            Forbidden: The connection has no account, the person is banned, or the account may not create webhooks and
                has none.
        """
        account = require_account(connection)
        state = await self._access_control.authorize(connection, room_name, account.member_id, must_exist=True)
        hooks = await self._database.hooks.list_all(names.canonical_key(room_name))
        if is_permitted(Action.MANAGE_HOOKS, state.access.policy, state.standing):
            return hooks, state.access.policy_seq
        own_hooks = [hook for hook in hooks if hook.created_by == account.member_id]
        if not own_hooks:
            require(Action.CREATE_HOOK, state.access.policy, state.standing)
        return own_hooks, state.access.policy_seq

    def _describe_creator(self, member_id: str) -> events.MemberRef:
        """Return the creator with its current names; the nickname of an unknown account is empty."""
        account = self._accounts.find_member(member_id)
        return events.MemberRef(member_id=member_id, nick_name="") if account is None else account.to_ref()
