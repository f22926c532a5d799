"""Account requests to one server over HTTP: registration, login, devices and profile (docs/accounts.md).

- Passwords are sent once and stored nowhere; no log record contains a password or token.
- Repetition: a request is never repeated, because its outcome is unknown after a connection loss.
"""

import asyncio
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from tui_chat.client import sanitize
from tui_chat.client.net.address import parse_address
from tui_chat.protocol.account_responses import AccountProfile, Device, DeviceList, Login
from tui_chat.protocol.errors import DECODE_ERRORS, InternalError

HTTP_TIMEOUT = 30.0
"""Default time limit of an account request in seconds; a password hash may wait for others on the server."""

StructT = TypeVar("StructT", bound=Struct)


class AccountClient:
    """Account requests to one server. A successful registration or login sets `token` for the later requests.

    All requests raise `BadRequest` for a text with a lone surrogate, `Unreachable` without a response in time,
    `UnsupportedByServer` if the server has no accounts, `InternalError` for an invalid response, and otherwise the
    `ChatError` of the server: `Unauthorized` for a wrong password or an invalid token, `Forbidden` for a closed
    registration, `Conflict` for a taken name, `RateLimited` after too many attempts. A failed request leaves `token`
    unchanged.

    Args:
        url: Server address in any form accepted by `address.parse_address`.
        ca_file: PEM file with trusted certificates, None for the system's.
        timeout: Time limit of a request in seconds.

    Attributes:
        url: Base URL of the server.
        token: Current token, at first that of an earlier login; None without one.

    Raises:
        InvalidAddress: Invalid URL.
    """

    def __init__(
        self, url: str, token: str | None = None, *, ca_file: str | None = None, timeout: float = HTTP_TIMEOUT
    ) -> None:
        self.url = parse_address(url).base_url
        self.token = token
        self._ca_file = ca_file
        self._timeout = timeout

    async def register(
        self,
        account: str,
        password: str,
        *,
        nick: str | None = None,
        invite: str | None = None,
        guest_key: str | None = None,
        label: str = "",
    ) -> Login:
        """Create an account, log in and set `token`.

        Args:
            account: Account name.
            password: Password.
            nick: Nickname, None for the account name.
            invite: Code of an invite, for servers that require one.
            guest_key: Guest key whose messages and rooms the account receives; invalid afterwards.
            label: Name of this device in the device list.
        """
        fields = {"account": account, "password": password, "nickName": nick, "invite": invite, "label": label or None}
        authorization = f"Guest {guest_key}" if guest_key else None
        return await self._request_login("/api/accounts", fields, account, authorization)

    async def log_in(self, account: str, password: str, *, label: str = "") -> Login:
        """Log in and set `token`, without revoking an earlier token; `label` as for `register`."""
        fields = {"account": account, "password": password, "label": label or None}
        return await self._request_login("/api/sessions", fields, account, None)

    async def log_out(self) -> None:
        """Revoke the current token, and set `token` to None."""
        await self._send("DELETE", "/api/sessions/current")
        self.token = None

    async def list_devices(self) -> list[Device]:
        """Return the devices with a valid token, newest login first."""
        response = await self._request(DeviceList, "GET", "/api/sessions")
        return [sanitize.received(device) for device in response.sessions]

    async def revoke_device(self, device_id: int) -> None:
        """Revoke the token of a device; its connections close at once. An unknown device raises `NotFound`."""
        await self._send("DELETE", f"/api/sessions/{device_id}")

    async def get_profile(self) -> AccountProfile:
        """Return the profile of the account."""
        return sanitize.received(await self._request(AccountProfile, "GET", "/api/me"))

    async def update_profile(self, *, nick: str | UnsetType = UNSET, about: str | UnsetType = UNSET) -> AccountProfile:
        """Change the given fields of the profile, and return the new profile; an omitted field remains unchanged."""
        fields = {"nickName": nick, "about": about}
        body = {name: value for name, value in fields.items() if value is not UNSET}
        return sanitize.received(await self._request(AccountProfile, "PATCH", "/api/me", body))

    async def change_password(self, password: str, new_password: str) -> None:
        """Replace the password, which revokes the tokens of all other devices."""
        await self._send("POST", "/api/me/password", {"password": password, "newPassword": new_password})

    async def delete_account(self, password: str, *, messages: Literal["keep", "delete"] = "keep") -> None:
        """Delete the account, revoke all its tokens, and set `token` to None.

        The messages remain under a neutral name, with `messages="delete"` without their texts.
        """
        await self._send("DELETE", "/api/me", {"password": password, "messages": messages})
        self.token = None

    async def _request_login(self, path: str, fields: dict[str, Any], account: str, authorization: str | None) -> Login:
        """Send the fields that are not None, set `token` from the response, and return the login.

        The account name of the result is sanitized, by default `account`.
        """
        body = {name: value for name, value in fields.items() if value is not None}
        login = _decode(Login, await self._send("POST", path, body, authorization=authorization))
        self.token = login.token
        return replace(login, account=sanitize.nickname(login.account or account))

    async def _request(self, response_type: type[StructT], method: str, path: str, body: object = None) -> StructT:
        return _decode(response_type, await self._send(method, path, body))

    async def _send(self, method: str, path: str, body: object = None, *, authorization: str | None = None) -> bytes:
        """Send one request and return the body of the response; raises as `send_http`.

        `authorization` is the value of the header. None stands for `Bearer` with `token`, or no header without a token.
        """
        # The import of aiohttp takes 100 ms; a thread keeps the event loop responsive.
        http_request = await asyncio.to_thread(_import_http_request)
        if authorization is None and self.token is not None:
            authorization = f"Bearer {self.token}"
        return await http_request.send_http(
            self.url,
            method,
            path,
            body=body,
            authorization=authorization,
            ca_file=self._ca_file,
            timeout=self._timeout,
        )


def _import_http_request() -> Any:
    from tui_chat.client.net import http_request  # noqa: PLC0415 (see `AccountClient._send`)

    return http_request


def _decode(response_type: type[StructT], body: bytes) -> StructT:
    """Return a decoded response; raise `InternalError` for an invalid one."""
    try:
        return msgspec.json.decode(body, type=response_type)
    except DECODE_ERRORS:
        raise InternalError("response_invalid") from None
