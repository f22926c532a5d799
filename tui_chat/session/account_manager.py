"""Login of the user on one server: account requests, and the token stored on this computer.

- Secrecy: passwords are not stored; the token is stored in `LoginStore` alone.
- Order: a token is stored before the connection changes, so that a crash meanwhile does not lose the login.
- Revocation: a replaced or ended login is revoked on the server last. A failure only sets `problem`; a token that the
  server rejects is no failure.
- Storage: a login that cannot be stored still applies to the connection, and sets `problem`.
- Errors: a failed request leaves login and connection unchanged.
"""

import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from tui_chat.client.accounts import AccountClient
from tui_chat.protocol.account_responses import AccountProfile, Device
from tui_chat.protocol.errors import ChatError, Unauthorized
from tui_chat.session.i18n import tr
from tui_chat.session.store.login_store import LoginStore, SavedLogin

log = logging.getLogger("chat.session")


def _device_label() -> str:
    return f"chat-tui ({socket.gethostname()})"


async def _ignore_login(_: SavedLogin | None) -> None:
    """Do nothing: default of `on_login_changed`."""


class AccountManager:
    """Login on one server.

    The methods raise the `ChatError` of a failed request (`AccountClient`), and `Unauthorized` for a request of a guest
    that needs a login.

    Attributes:
        guest_key: Returns the guest key of the session, None without one.
        on_guest_registered: Called after a registration without a current login, before the change of the connection.
        on_login_changed: Called with each new login, None for a guest, to change the connection.
        login: Current login, None for a guest.
        problem: Error sentence of the last read, write or revocation of a login, "" on success.
    """

    def __init__(self, url: str, store: LoginStore) -> None:
        self.url = url
        self._store = store
        self.guest_key: Callable[[], str | None] = lambda: None
        self.on_guest_registered: Callable[[], None] = lambda: None
        self.on_login_changed: Callable[[SavedLogin | None], Awaitable[None]] = _ignore_login
        self.login, self.problem = store.find(url)

    async def log_in(self, account: str, password: str) -> None:
        """Log in with an existing account: store the login, change the connection, revoke the current login."""
        login = await AccountClient(self.url).log_in(account, password, label=_device_label())
        await self._change_login(SavedLogin(self.url, login.account, login.token))

    async def register(self, account: str, password: str, *, nick: str, invite: str) -> None:
        """Create an account, which receives messages, rooms and read markers of the session's guest, and log in.

        If the server rejects the guest key (`Unauthorized`), the account is created without the guest. A current login
        is replaced. An empty nickname selects the account name; the invite may be empty.
        """
        client = AccountClient(self.url)
        options: dict[str, Any] = {"nick": nick or None, "invite": invite or None, "label": _device_label()}
        try:
            login = await client.register(account, password, **options, guest_key=self.guest_key())
        except Unauthorized:  # the guest key is invalid: the server was replaced, or the guest has an account already
            login = await client.register(account, password, **options)
        if self.login is None:
            self.on_guest_registered()
        await self._change_login(SavedLogin(self.url, login.account, login.token))

    async def log_out(self) -> None:
        """Remove the stored login, continue as a guest, and revoke the token; no effect for a guest."""
        if self.login is not None:
            await self._change_login(None)

    async def list_devices(self) -> list[Device]:
        """Return the devices of the account: the current one, then the others by last use, newest first."""
        devices = await self._client().list_devices()
        return sorted(devices, key=lambda device: (device.current, device.last_used_at, device.id), reverse=True)

    async def revoke_device(self, device: Device) -> None:
        """Revoke the login of another device; for the current device, `log_out`."""
        if device.current:
            await self.log_out()
        else:
            await self._client().revoke_device(device.id)

    async def get_profile(self) -> AccountProfile:
        """Return the profile of the account."""
        return await self._client().get_profile()

    async def update_profile(self, nick: str, about: str) -> None:
        """Change nickname and text of the profile."""
        await self._client().update_profile(nick=nick, about=about)

    async def change_password(self, password: str, new_password: str) -> None:
        """Replace the password, which logs out the other devices."""
        await self._client().change_password(password, new_password)

    async def delete_account(self, password: str, messages: Literal["keep", "delete"]) -> None:
        """Delete the account, then its stored login, and continue as a guest.

        The messages stay under a neutral name (`keep`), or lose their texts (`delete`).
        """
        await self._client().delete_account(password, messages=messages)
        self.problem = self._store.remove(self.url)
        self.login = None
        await self.on_login_changed(None)

    def _client(self) -> AccountClient:
        if self.login is None:
            raise Unauthorized("login_missing")
        return AccountClient(self.url, self.login.token)

    async def _change_login(self, login: SavedLogin | None) -> None:
        """Store a login, or remove the stored one for None; then change the connection and revoke the old token.

        Errors of the storage and of the revocation set `problem`.
        """
        old_login, self.login = self.login, login
        self.problem = self._store.remove(self.url) if login is None else self._store.save(login)
        await self.on_login_changed(login)
        if old_login is not None:
            try:
                await AccountClient(self.url, old_login.token).log_out()
            except Unauthorized:
                pass  # revoked already
            except ChatError as error:
                log.warning("token of the previous login not revoked: %s", error.code)
                self.problem = self.problem or tr(
                    "The server did not respond. Remove this device from the list of devices at the next login."
                )
