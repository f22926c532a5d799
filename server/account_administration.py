"""Administration commands for accounts, as handlers of the control socket.

- Effect: a change applies to a running server at once. Suspensions, deletions, new passwords and new tokens close the
  connections of the account.
- Record: each change is logged, then added to the audit log; reads are not recorded. A failure of the audit log fails
  the command, and the change remains in effect.
- Secrets: passwords, tokens and invite codes are never logged.
"""

from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any

import msgspec

from server.control_socket import ControlError, ControlHandler
from server.domain.account_directory import ServerRole
from server.gateway.account_service import AccountService, ErasureMode
from server.storage.account_records import AccountRecord
from tui_chat.protocol import names
from tui_chat.protocol.errors import NotFound
from tui_chat.protocol.limits import INVITE_SECONDS, INVITE_USES
from tui_chat.protocol.sanitize import validate_reason

_BOT_LABEL = "chat-server account"  # device name in the token of a bot


class AccountRequest(msgspec.Struct):
    """Arguments of the commands for one account: its name."""

    name: str


class AddAccountRequest(AccountRequest):
    """Arguments of `account add`.

    Attributes:
        nick: Nickname; None selects the account name.
        role: Role on the server.
        password: Password, None for a bot.
    """

    nick: str | None = None
    role: ServerRole = "user"
    password: str | None = None


class PasswordRequest(AccountRequest):
    """Arguments of `account passwd`."""

    password: str


class RoleRequest(AccountRequest):
    """Arguments of `account role`."""

    role: ServerRole


class SuspendRequest(AccountRequest):
    """Arguments of `account suspend`.

    Attributes:
        reason: Reason in the audit log, empty for none.
    """

    reason: str = ""


class DeleteAccountRequest(AccountRequest):
    """Arguments of `account delete`.

    Attributes:
        messages: `keep` or `delete` the messages of the account.
    """

    messages: ErasureMode = "keep"


class InviteRequest(msgspec.Struct, rename="camel"):
    """Arguments of `account invite`.

    Attributes:
        uses: Number of accounts that may be registered.
        expires_in: Seconds until the expiry.
    """

    uses: Annotated[int, msgspec.Meta(ge=1, le=INVITE_USES)]
    expires_in: Annotated[float, msgspec.Meta(gt=0, le=INVITE_SECONDS)]


class AccountAdministration:
    """Administration commands for accounts; an unknown account name raises `ControlError`.

    A command without another result returns the fields of the account (`_describe_account`).

    Args:
        accounts: Operations on accounts.
        record: Records an action of the operator, such as `suspended the account ann`.

    Attributes:
        handlers: Handlers by command name; besides `ControlError`, they raise `ChatError` and
            `msgspec.ValidationError`.
    """

    def __init__(self, accounts: AccountService, record: Callable[[str], Awaitable[None]]) -> None:
        self._accounts = accounts
        self._record = record
        self.handlers: dict[str, ControlHandler] = {
            "account add": self._add,
            "account list": self._list,
            "account show": self._show,
            "account passwd": self._replace_password,
            "account token": self._replace_token,
            "account role": self._set_role,
            "account suspend": self._suspend,
            "account resume": self._resume,
            "account delete": self._delete,
            "account invite": self._create_invite,
        }

    async def _add(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Create an account of a person, or of a bot if the password is None; the registration policy does not apply.

        Returns:
            The fields of the account, and for a bot the `token`, of which the server stores no copy. After a failure of
            the audit log, a bot exists without a token.
        """
        arguments = msgspec.convert(request, AddAccountRequest)
        account = await self._accounts.create_account(
            arguments.name,
            password=arguments.password,
            address="",
            nick_name=None if arguments.nick is None else names.validate_nickname(arguments.nick),
            role=arguments.role,
            is_bot=arguments.password is None,
        )
        response = await self._record_action(await self._accounts.require_account(account.name), "added")
        if account.is_bot:
            response["token"] = (await self._accounts.issue_token(account, _BOT_LABEL)).token
        return response

    async def _list(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        """Return all accounts that are not deleted as `accounts`, in order of their creation."""
        return {"accounts": list(map(_describe_account, await self._accounts.list_accounts()))}

    async def _show(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of an account, its `email` (or None) and its logged-in `devices`, newest login first."""
        record = await self._find_account(request)
        devices = await self._accounts.list_devices(record.account.id)
        return {
            **_describe_account(record),
            "email": record.email,
            "devices": [
                {"label": device.label, "createdAt": device.created_at, "lastUsedAt": device.last_used_at}
                for device in devices
            ],
        }

    async def _replace_password(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Replace a password, revoke all tokens of the account and close its connections.

        Raises:
            ControlError: The account belongs to a bot.
        """
        arguments = msgspec.convert(request, PasswordRequest)
        record = await self._find_account(request)
        if record.account.is_bot:
            raise ControlError(f"{record.account.name} is a bot; replace its token with `chat-server account token`")
        await self._accounts.reset_password(record.account.name, arguments.password)
        return await self._record_action(record, "changed the password of")

    async def _replace_token(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the token of a bot and close all its connections; the result also contains the new `token`.

        Raises:
            ControlError: The account belongs to a person.
        """
        record = await self._find_account(request)
        name = record.account.name
        if not record.account.is_bot:
            raise ControlError(f"{name} is not a bot; replace its password with `chat-server account passwd`")
        token = (await self._accounts.replace_tokens(record.account, _BOT_LABEL)).token
        return {**await self._record_action(record, "replaced the token of"), "token": token}

    async def _set_role(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Change the role of an account on the server."""
        role = msgspec.convert(request, RoleRequest).role
        record = await self._run(request, lambda name: self._accounts.set_role(name, role))
        return await self._record_action(record, f"gave the role {role} to")

    async def _suspend(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Reject logins and tokens of an account, and close its connections."""
        reason = validate_reason(msgspec.convert(request, SuspendRequest).reason)
        record = await self._run(request, self._accounts.suspend)
        return await self._record_action(record, "suspended", reason)

    async def _resume(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """End a suspension, if there is one; the tokens of the account are valid again."""
        record = await self._run(request, self._accounts.resume)
        return await self._record_action(record, "resumed")

    async def _delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Delete an account, with its messages on request; close its connections and return its former `name`."""
        erasure = msgspec.convert(request, DeleteAccountRequest).messages
        account = (await self._find_account(request)).account
        await self._accounts.delete_account_by_name(account.name, erasure)
        await self._record(f"deleted the account {account.name}")
        return {"name": account.name}

    async def _create_invite(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Create an invite (`InviteRequest`); return `id`, `uses`, `expiresAt` and the `code`, which is not stored."""
        arguments = msgspec.convert(request, InviteRequest)
        invite = await self._accounts.create_invite(uses=arguments.uses, lifetime=arguments.expires_in)
        await self._record(f"created an invite (uses: {invite.uses})")
        return {"id": invite.id, "code": invite.code, "uses": invite.uses, "expiresAt": invite.expires_at}

    async def _find_account(self, request: Mapping[str, Any]) -> AccountRecord:
        """Return the account of a request."""
        return await self._run(request, self._accounts.require_account)

    async def _run(
        self, request: Mapping[str, Any], operation: Callable[[str], Awaitable[AccountRecord]]
    ) -> AccountRecord:
        """Call `operation` with the account name of a request, and return its result.

        Raises:
            ControlError: The name is unknown; the message suggests the most similar account name, if any is similar.
        """
        name = msgspec.convert(request, AccountRequest).name
        try:
            return await operation(name)
        except NotFound:
            known_names = [record.account.name for record in await self._accounts.list_accounts()]
            matches = get_close_matches(name, known_names, 1)
            raise ControlError(f"no account {name}" + (f"; did you mean {matches[0]}?" if matches else "")) from None

    async def _record_action(self, record: AccountRecord, action: str, reason: str = "") -> dict[str, Any]:
        """Record an action of the operator on an account, and return the response fields of `record`."""
        await self._record(f"{action} the account {record.account.name}" + (f": {reason}" if reason else ""))
        return _describe_account(record)


def _describe_account(record: AccountRecord) -> dict[str, Any]:
    """Return the response fields of an account."""
    account = record.account
    return {
        "name": account.name,
        "nickName": account.nick_name,
        "role": account.role,
        "bot": account.is_bot,
        "suspended": account.suspended,
        "memberId": account.member_id,
        "createdAt": account.created_at,
    }
