"""Messages of webhooks (docs/protocol.md, "Webhooks").

- Permissions: a message requires the current permissions of the creator. Sanctions of the webhook apply too.
- Rate: each webhook has the rate of a connection.
- Secrecy: unknown secrets, and webhooks of suspended or deleted creators, have the same error.
"""

from functools import partial

from server.domain.account_directory import AccountDirectory, AccountIdentity
from server.domain.live_room import LiveRoom
from server.domain.log_commands import AppendMessage
from server.domain.mention_resolver import resolve_mentions
from server.domain.permissions import Action, Policy, require
from server.domain.room_access import Requester
from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.gateway.caller_limits import CallerLimits
from server.gateway.device_tokens import hash_secret
from server.gateway.http_callers import HttpCaller
from server.gateway.room_access import RoomAccessControl
from server.storage.database import Database
from server.storage.hook_repository import StoredHook
from tui_chat.protocol import errors, events, names, requests


class HookCaller(HttpCaller, frozen=True, kw_only=True):
    """Webhook of a request, with its own member id and the account of its creator.

    Attributes:
        hook: Webhook.
    """

    hook: StoredHook


class HookMessages:
    """Writer of the messages of webhooks; a rejected message raises a `ChatError`.

    Args:
        database: Storage of webhooks, and journal of the messages.
        accounts: Directory of all accounts.
        room_registry: Rooms with members.
        access_control: Permission checks.
        limits: Rate limits of the webhooks.
    """

    def __init__(
        self,
        database: Database,
        accounts: AccountDirectory,
        room_registry: RoomRegistry[ClientConnection],
        *,
        access_control: RoomAccessControl,
        limits: CallerLimits,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._room_registry = room_registry
        self._access_control = access_control
        self._limits = limits

    async def identify(self, secret: str, address: str) -> HookCaller:
        """Return the webhook of a secret.

        Raises:
            NotFound: The secret is unknown or revoked, or the creator is suspended or deleted (`hook_not_found`).
        """
        hook = await self._database.hooks.find(hash_secret(secret))
        creator = None if hook is None else self._accounts.find_member(hook.created_by)
        if hook is None or creator is None or not creator.is_active:
            raise errors.NotFound("hook_not_found")
        account = AccountIdentity.from_account(creator, token_id=0)
        return HookCaller(address=address, member_id=hook.member_id, account=account, hook=hook)

    async def append(self, caller: HookCaller, secret: str, text: str) -> events.Entry:
        """Append a message, and return its committed entry.

        The name of the webhook has a suffix if a present member or an account has this name.

        Args:
            caller: Webhook of the secret, which is verified again.
            secret: Secret of the webhook.
            text: Sanitized text within the limit of messages.

        Raises:
            NotFound: As in `identify`; or the room is not visible to the creator.
            Forbidden: The creator may not write in the room, or the webhook is silenced or banned.
            RateLimited: The rate of the webhook is exceeded.
            Unavailable: The database failed, or the journal is overloaded.
        """
        self._limits.acquire(caller, requests.SendMessage.rate_class, len(text.encode()))
        return await self._access_control.retry_stale(
            caller.create_connection(), partial(self._append, secret, caller.address, text)
        )

    async def _append(self, secret: str, address: str, text: str) -> events.Entry:
        """Check the permissions of creator and webhook, and append a message.

        Raises:
            NotFound, Forbidden: As in `append`.
            StaleAccess: The access changed between the check and the write.
        """
        caller = await self.identify(secret, address)  # the secret may be revoked since the last attempt
        hook, room_key = caller.hook, names.canonical_key(caller.hook.room)
        state = await self._access_control.authorize(caller, hook.room, hook.created_by, Action.SEND, must_exist=True)
        hook_state = await self._database.reader.read_access(
            room_key, Requester(member_id=hook.member_id, has_account=True)
        )
        require(Action.SEND, Policy(), hook_state.standing)
        room = self._room_registry.rooms.get(room_key) or LiveRoom[ClientConnection](
            room_key, hook.room, account_directory=self._accounts
        )
        author = events.Member(
            member_id=hook.member_id,
            nick_name=room.preview_nick(hook.nick_name, hook.member_id),
            role="member",
            bot=True,
        )
        append_result = await self._database.journal.append(
            AppendMessage(
                room=room.to_ref(),
                author=author,
                policy_seq=state.access.policy_seq,
                message=text,
                mentions=resolve_mentions(text, self._accounts),
            )
        )
        return append_result.entry
