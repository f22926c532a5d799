"""HTTP endpoints of accounts, devices and profiles (docs/protocol.md, "HTTP").

Responses and problems contain no password and no token, except the new token of a registration or a login.
"""

from http import HTTPStatus
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from server.gateway.account_service import AccountService, ErasureMode, IssuedToken, RegistrationPolicy
from server.gateway.credentials import find_guest_key
from server.gateway.identity import IdentityResolver
from server.storage.account_records import AccountRecord
from server.web.api.authentication import ApiLimits, RequestAuthenticator, acquire
from server.web.api.endpoints import ApiCall, Endpoint
from tui_chat.protocol import errors, names, sanitize
from tui_chat.protocol.account_responses import AccountProfile, Device, DeviceList, Login
from tui_chat.protocol.accounts import validate_email


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

    messages: ErasureMode
    password: str = ""


class DevicePath(Struct, frozen=True):
    """Path parameters of a login.

    Attributes:
        id: Identifier of the login, or `current` for that of the request.
    """

    id: Annotated[str, Meta(pattern="^(current|[0-9]{1,16})$")]


class AccountApi:
    """Endpoints of accounts, devices and profiles.

    Args:
        service: Operations on accounts.
        identity: Verifier of guest keys.
        authenticator: Verifier of credentials.
        registration: Policy of registrations.
        limits: Limits per address, None for no limits; the limit of failed logins is always on.

    Attributes:
        endpoints: Declared endpoints.
    """

    def __init__(
        self,
        service: AccountService,
        identity: IdentityResolver,
        authenticator: RequestAuthenticator,
        *,
        registration: RegistrationPolicy,
        limits: ApiLimits | None,
    ) -> None:
        self._service = service
        self._identity = identity
        self._authenticator = authenticator
        self._registration = registration
        self._limits = limits
        self.endpoints = (
            Endpoint(
                method="POST",
                path="/api/accounts",
                name="register",
                summary="Create an account and log in; a guest keeps messages and rooms",
                tag="accounts",
                handle=self._register,
                credentials="guest",
                rate_class=None,
                body=RegistrationBody,
                response=Login,
                status=HTTPStatus.CREATED,
                problems=(HTTPStatus.CONFLICT,),
            ),
            Endpoint(
                method="POST",
                path="/api/sessions",
                name="logIn",
                summary="Log in",
                tag="accounts",
                handle=self._log_in,
                credentials="none",
                rate_class=None,
                body=LoginBody,
                response=Login,
                problems=(HTTPStatus.UNAUTHORIZED,),
            ),
            Endpoint(
                method="GET",
                path="/api/sessions",
                name="listDevices",
                summary="List the logins of the account",
                tag="accounts",
                handle=self._list_devices,
                credentials="account",
                response=DeviceList,
            ),
            Endpoint(
                method="DELETE",
                path="/api/sessions/{id}",
                name="revokeDevice",
                summary="Revoke the token of a login",
                tag="accounts",
                handle=self._revoke_device,
                credentials="account",
                parameters=DevicePath,
                problems=(HTTPStatus.NOT_FOUND,),
            ),
            Endpoint(
                method="GET",
                path="/api/me",
                name="getProfile",
                summary="Return the profile of the account",
                tag="accounts",
                handle=self._read_profile,
                credentials="account",
                response=AccountProfile,
            ),
            Endpoint(
                method="PATCH",
                path="/api/me",
                name="updateProfile",
                summary="Change the profile of the account",
                tag="accounts",
                handle=self._update_profile,
                credentials="account",
                body=ProfileBody,
                response=AccountProfile,
                problems=(HTTPStatus.CONFLICT,),
            ),
            Endpoint(
                method="DELETE",
                path="/api/me",
                name="deleteAccount",
                summary="Delete the account",
                tag="accounts",
                handle=self._delete_account,
                credentials="account",
                body=DeletionBody,
            ),
            Endpoint(
                method="POST",
                path="/api/me/password",
                name="changePassword",
                summary="Change the password, and revoke the tokens of all other devices",
                tag="accounts",
                handle=self._change_password,
                credentials="account",
                body=PasswordBody,
            ),
        )

    async def _register(self, call: ApiCall[None, RegistrationBody]) -> Login:
        """Create an account and log in; a guest key in `Authorization: Guest …` transfers the member id of the guest.

        The policy of registrations is checked before the names, so a closed server reveals no names, and before the
        rate of the address. Other credentials are ignored, as is the invite unless the policy is `invite`.

        Raises:
            Forbidden: The transport is not secure, registrations are closed, or the required invite is missing,
                unknown, expired or used up.
            RateLimited: Too many registrations came from the address.
            Unauthorized: The guest key is invalid, or that of an account.
            Conflict: The account name or the nickname belongs to another account.
            BadRequest, NickInvalid, TooLong: A field is invalid.
            Unavailable: The database failed, or too many password hashes are waiting.
        """
        client = self._authenticator.require_secure(call.request)
        body = call.body
        label = sanitize.validate_device_label(body.label)
        if self._registration == "closed":
            raise errors.Forbidden("registration_closed")
        if self._registration == "invite" and not body.invite:
            raise errors.Forbidden("invite_invalid")
        acquire(self._limits, "registrations", client.address, "too_many_registrations")
        guest_key = find_guest_key(call.request.headers.get("Authorization", ""))
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
        return _to_login(await self._service.issue_token(account, label))

    async def _log_in(self, call: ApiCall[None, LoginBody]) -> Login:
        """Verify a password over a secure transport, and return a new token (`AccountService.log_in`).

        Raises:
            Forbidden: The transport is not secure.
            BadRequest, TooLong: The label is invalid.
            ChatError: The login is rejected.
        """
        client = self._authenticator.require_secure(call.request)
        body = call.body
        label = sanitize.validate_device_label(body.label)
        return _to_login(await self._service.log_in(body.account, body.password, label, client.address))

    async def _list_devices(self, call: ApiCall[None, None]) -> DeviceList:
        """Return the unexpired logins of the account, latest login first; `current` marks that of the request."""
        account = call.account
        return DeviceList(
            [
                Device(
                    id=token.id,
                    label=token.label,
                    created_at=token.created_at,
                    last_used_at=token.last_used_at,
                    current=token.id == account.token_id,
                )
                for token in await self._service.list_devices(account.id)
            ]
        )

    async def _revoke_device(self, call: ApiCall[DevicePath, None]) -> None:
        """Revoke a token, possibly that of the request, and close its connections.

        Raises:
            NotFound: The account has no token with this id.
        """
        account, requested = call.account, call.parameters.id
        token_id = account.token_id if requested == "current" else int(requested)
        await self._service.revoke_device(account, token_id)

    async def _read_profile(self, call: ApiCall[None, None]) -> AccountProfile:
        return _to_profile(await self._service.read_profile(call.account))

    async def _update_profile(self, call: ApiCall[None, ProfileBody]) -> AccountProfile:
        """Change the fields that are present in the body, and return the whole profile.

        Raises:
            RateLimited: Too many requests came from the address.
            BadRequest, NickInvalid, TooLong: A value is invalid.
            Conflict: The nickname belongs to another account.
        """
        body = call.body
        acquire(self._limits, "changes", call.caller.address, "too_many_requests")
        values: dict[str, str | None] = {}
        if body.nick_name is not UNSET:
            values["nick_name"] = names.validate_nickname(body.nick_name)
        if body.about is not UNSET:
            values["about"] = sanitize.validate_about(body.about)
        if body.email is not UNSET:
            values["email"] = validate_email(body.email)
        return _to_profile(await self._service.update_profile(call.account, values))

    async def _change_password(self, call: ApiCall[None, PasswordBody]) -> None:
        """Change the password over a secure transport (`AccountService.change_password`).

        Raises:
            Forbidden: The transport is not secure.
            ChatError: The change is rejected.
        """
        client = self._authenticator.require_secure(call.request)
        body = call.body
        await self._service.change_password(call.account, body.password, body.new_password, client.address)

    async def _delete_account(self, call: ApiCall[None, DeletionBody]) -> None:
        """Delete the account over a secure transport (`AccountService.delete_account`).

        Raises:
            Forbidden: The transport is not secure.
            ChatError: The deletion is rejected.
        """
        client = self._authenticator.require_secure(call.request)
        body = call.body
        await self._service.delete_account(call.account, body.password, erasure=body.messages, address=client.address)


def _to_login(issued: IssuedToken) -> Login:
    return Login(account=issued.account.name, token=issued.token, expires_at=issued.expires_at)


def _to_profile(record: AccountRecord) -> AccountProfile:
    account = record.account
    return AccountProfile(
        account=account.name,
        nick_name=account.nick_name,
        member_id=account.member_id,
        role=account.role,
        about=record.about,
        created_at=account.created_at,
        email=record.email or UNSET,
    )
