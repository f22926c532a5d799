"""HTTP endpoints of accounts, devices and profiles (docs/protocol.md, "HTTP").

Responses and problems contain no password and no token, except the new token of a registration or a login.
"""

from http import HTTPStatus

from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from server.gateway.account_service import AccountService, Erasure, IssuedToken, Registration
from server.gateway.credentials import find_guest_key
from server.gateway.identity import IdentityResolver
from server.storage.account_repository import AccountRecord
from server.web.api.authentication import ApiLimits, RequestAuthenticator, acquire
from server.web.api.guard import create_json_response, read_json
from tui_chat.protocol import errors, names, sanitize
from tui_chat.protocol.accounts import validate_email
from tui_chat.protocol.limits import SEQ_MAX


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
        authenticator: Checks of requests.
        registration: Policy of registrations.
        limits: Limits per address, None for no limits; the limit of failed logins is always on.
    """

    def __init__(
        self,
        service: AccountService,
        identity: IdentityResolver,
        authenticator: RequestAuthenticator,
        *,
        registration: Registration,
        limits: ApiLimits | None,
    ) -> None:
        self._service = service
        self._identity = identity
        self._authenticator = authenticator
        self._registration = registration
        self._limits = limits

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
        client = self._authenticator.require_secure(request)
        body = await read_json(request, RegistrationBody)
        label = sanitize.validate_device_label(body.label)
        if self._registration == "closed":
            raise errors.Forbidden("registration_closed")
        if self._registration == "invite" and not body.invite:
            raise errors.Forbidden("invite_invalid")
        acquire(self._limits and self._limits.registrations, client.address, "too_many_registrations")
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
        client = self._authenticator.require_secure(request)
        body = await read_json(request, LoginBody)
        label = sanitize.validate_device_label(body.label)
        return _create_token_response(await self._service.log_in(body.account, body.password, label, client.address))

    async def _list_devices(self, request: web.Request) -> web.Response:
        account = await self._authenticator.authenticate(request)
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
        account = await self._authenticator.authenticate(request)
        requested = request.match_info["id"]
        token_id = account.token_id if requested == "current" else int(requested[: len(str(SEQ_MAX))])
        await self._service.revoke_device(account, token_id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _read_profile(self, request: web.Request) -> web.Response:
        return _create_profile_response(
            await self._service.read_profile(await self._authenticator.authenticate(request))
        )

    async def _update_profile(self, request: web.Request) -> web.Response:
        account = await self._authenticator.authenticate(request)
        body = await read_json(request, ProfileBody)
        acquire(
            self._limits and self._limits.changes, self._authenticator.get_client(request).address, "too_many_requests"
        )
        values: dict[str, str | None] = {}
        if body.nick_name is not UNSET:
            values["nick_name"] = names.validate_nickname(body.nick_name)
        if body.about is not UNSET:
            values["about"] = sanitize.validate_about(body.about)
        if body.email is not UNSET:
            values["email"] = validate_email(body.email)
        return _create_profile_response(await self._service.update_profile(account, values))

    async def _change_password(self, request: web.Request) -> web.Response:
        client = self._authenticator.require_secure(request)
        account = await self._authenticator.authenticate(request)
        body = await read_json(request, PasswordBody)
        await self._service.change_password(account, body.password, body.new_password, client.address)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _delete_account(self, request: web.Request) -> web.Response:
        client = self._authenticator.require_secure(request)
        account = await self._authenticator.authenticate(request)
        body = await read_json(request, DeletionBody)
        await self._service.delete_account(account, body.password, erasure=body.messages, address=client.address)
        return web.Response(status=HTTPStatus.NO_CONTENT)


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
