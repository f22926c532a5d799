"""HTTP endpoints of accounts, devices and profiles (docs/protocol.md, "HTTP").

- Passwords travel only over TLS or within the machine, unless the operator allows plain HTTP.
- Responses and problems contain no password and no token, except the new token of a registration or a login.
"""

import time
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from server.domain.account_directory import AccountIdentity
from server.domain.rate_limits import PerAddressLimiter, is_loopback
from server.forwarded import ClientInfo, IPNetwork, get_client_info
from server.gateway.account_service import AccountService, Erasure, IssuedToken, Registration
from server.gateway.credentials import find_guest_key, find_header_token
from server.gateway.identity import IdentityResolver
from server.storage.account_repository import AccountRecord
from server.web.api.guard import create_json_response, read_json
from tui_chat.protocol import errors, limits, names, sanitize
from tui_chat.protocol.accounts import validate_email

REGISTRATIONS_PER_MINUTE = 60
"""Registrations per client address, enough for a class behind one address."""

CHANGES_PER_MINUTE = 120
"""Changes of profiles per client address."""


class RegistrationBody(Struct, rename="camel"):
    """Body of `POST /api/accounts`; an empty invite counts as absent."""

    account: str
    password: str
    nick_name: str = ""
    invite: str = ""
    email: str = ""
    label: str = ""


class LoginBody(Struct, rename="camel"):
    """Body of `POST /api/sessions`."""

    account: str
    password: str
    label: str = ""


class PasswordBody(Struct, rename="camel"):
    """Body of `POST /api/me/password`."""

    password: str
    new_password: str


class ProfileBody(Struct, rename="camel"):
    """Body of `PATCH /api/me`; absent fields stay unchanged, and an empty email removes the address."""

    nick_name: str | UnsetType = UNSET
    about: str | UnsetType = UNSET
    email: str | UnsetType = UNSET


class DeletionBody(Struct, rename="camel"):
    """Body of `DELETE /api/me`."""

    messages: Erasure
    password: str = ""


class AccountApi:
    """Handlers of the account endpoints; `add_routes` adds them to an application.

    Args:
        service: Operations on accounts.
        identity: Verifier of guest keys.
        registration: Policy of registrations.
        allow_insecure: Accept passwords over plain HTTP from other machines.
        limit_rates: Limit registrations and changes of profiles per address; the limit of failed logins is always on.
        trusted_networks: Networks of trusted reverse proxies.
    """

    def __init__(
        self,
        service: AccountService,
        identity: IdentityResolver,
        *,
        registration: Registration,
        allow_insecure: bool,
        limit_rates: bool,
        trusted_networks: tuple[IPNetwork, ...],
    ) -> None:
        self._service = service
        self._identity = identity
        self._registration = registration
        self._allow_insecure = allow_insecure
        self._trusted_networks = trusted_networks
        self._registration_limiter = PerAddressLimiter(REGISTRATIONS_PER_MINUTE) if limit_rates else None
        self._change_limiter = PerAddressLimiter(CHANGES_PER_MINUTE) if limit_rates else None

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints to an application; `create_api_guard` must enclose them."""
        app.router.add_post("/api/accounts", self._register, name="register")
        app.router.add_post("/api/sessions", self._log_in, name="login")
        app.router.add_get("/api/sessions", self._list_devices, name="devices")
        app.router.add_delete("/api/sessions/{id:current|[0-9]+}", self._revoke_device, name="revoke-device")
        app.router.add_get("/api/me", self._read_profile, name="profile")
        app.router.add_patch("/api/me", self._update_profile, name="update-profile")
        app.router.add_delete("/api/me", self._delete_account, name="delete-account")
        app.router.add_post("/api/me/password", self._change_password, name="change-password")

    async def _register(self, request: web.Request) -> web.Response:
        """Create an account and log in; a guest key in `Authorization: Guest …` transfers the member id of the guest.

        The policy of registrations is checked before the names, so a closed server reveals no names.
        """
        client = self._require_secure(request)
        body = await read_json(request, RegistrationBody)
        label = sanitize.validate_device_label(body.label)
        if self._registration == "closed":
            raise errors.Forbidden("registration_closed")
        if self._registration == "invite" and not body.invite:
            raise errors.Forbidden("invite_invalid")
        _acquire(self._registration_limiter, client.address, "too_many_registrations")
        guest_key = find_guest_key(request.headers.get("Authorization", ""))
        member_id = None
        if guest_key is not None:
            member_id = self._identity.verify_guest_key(guest_key)
            if member_id is None:
                raise errors.Unauthorized("guest_key_invalid")
        account = await self._service.create_account(
            body.account,
            password=body.password,
            address=client.address,
            nick_name=names.validate_nickname(body.nick_name) if body.nick_name else None,
            email=validate_email(body.email),
            member_id=member_id,
            invite_code=body.invite if self._registration == "invite" else None,
        )
        return _create_token_response(await self._service.issue_token(account, label), HTTPStatus.CREATED)

    async def _log_in(self, request: web.Request) -> web.Response:
        client = self._require_secure(request)
        body = await read_json(request, LoginBody)
        label = sanitize.validate_device_label(body.label)
        return _create_token_response(await self._service.log_in(body.account, body.password, label, client.address))

    async def _list_devices(self, request: web.Request) -> web.Response:
        account = await self._authenticate(request)
        return create_json_response(
            {
                "sessions": [
                    {
                        "id": token.id,
                        "label": token.label,
                        "createdAt": token.created_at,
                        "lastUsedAt": token.last_used_at,
                        "current": token.id == account.token_id,
                    }
                    for token in await self._service.list_devices(account.id)
                ]
            }
        )

    async def _revoke_device(self, request: web.Request) -> web.Response:
        account = await self._authenticate(request)
        requested = request.match_info["id"]
        token_id = account.token_id if requested == "current" else int(requested[: len(str(limits.SEQ_MAX))])
        await self._service.revoke_device(account, token_id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _read_profile(self, request: web.Request) -> web.Response:
        return _create_profile_response(await self._service.read_profile(await self._authenticate(request)))

    async def _update_profile(self, request: web.Request) -> web.Response:
        account = await self._authenticate(request)
        body = await read_json(request, ProfileBody)
        _acquire(self._change_limiter, get_client_info(request, self._trusted_networks).address, "too_many_requests")
        values: dict[str, str | None] = {}
        if body.nick_name is not UNSET:
            values["nick_name"] = names.validate_nickname(body.nick_name)
        if body.about is not UNSET:
            values["about"] = sanitize.validate_about(body.about)
        if body.email is not UNSET:
            values["email"] = validate_email(body.email)
        return _create_profile_response(await self._service.update_profile(account, values))

    async def _change_password(self, request: web.Request) -> web.Response:
        client = self._require_secure(request)
        account = await self._authenticate(request)
        body = await read_json(request, PasswordBody)
        await self._service.change_password(account, body.password, body.new_password, client.address)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _delete_account(self, request: web.Request) -> web.Response:
        client = self._require_secure(request)
        account = await self._authenticate(request)
        body = await read_json(request, DeletionBody)
        await self._service.delete_account(account, body.password, erasure=body.messages, address=client.address)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _authenticate(self, request: web.Request) -> AccountIdentity:
        token = find_header_token(request.headers.get("Authorization", ""))
        if token is None:
            raise errors.Unauthorized("login_required")
        return await self._service.tokens.authenticate(token)

    def _require_secure(self, request: web.Request) -> ClientInfo:
        """Return the client of a request with a password.

        Raises:
            Forbidden: The client is on another machine and does not use TLS.
        """
        client = get_client_info(request, self._trusted_networks)
        scheme = request.scheme if client.own_origin is None else urlsplit(client.own_origin).scheme
        if not (self._allow_insecure or scheme == "https" or is_loopback(client.address)):
            raise errors.Forbidden("login_insecure")
        return client


def _acquire(limiter: PerAddressLimiter | None, address: str, reason: str) -> None:
    retry_after = 0.0 if limiter is None else limiter.acquire(address, time.monotonic())
    if retry_after:
        raise errors.RateLimited(reason, retry_after=round(retry_after, 3))


def _create_token_response(issued: IssuedToken, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    body = {"account": issued.account.name, "token": issued.token, "expiresAt": issued.expires_at}
    return create_json_response(body, status)


def _create_profile_response(record: AccountRecord) -> web.Response:
    account = record.account
    profile = {
        "account": account.name,
        "nickName": account.nick_name,
        "memberId": account.member_id,
        "role": account.role,
        "about": record.about,
        "createdAt": account.created_at,
    }
    return create_json_response(profile | ({"email": record.email} if record.email else {}))
