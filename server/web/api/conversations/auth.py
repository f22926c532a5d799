"""Registration, login and logout of the conversation dialect.

- Registration: subject to the policy of the server. No mail is sent, and any code of six digits is accepted.
- Login: a missing account and a wrong password have different errors, as the application expects; the rate per address
  limits the number of names that can be tested. Failed logins share their limits with the other endpoints.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

from server.domain.lru_table import LruTable
from server.gateway.account_service import AccountService, RegistrationPolicy
from server.gateway.conversations.service import ConversationRejected, ConversationService
from server.storage.account_records import AccountRecord
from server.storage.account_repository import AccountRepository
from server.web.api.authentication import ApiLimits, RequestAuthenticator, acquire
from server.web.api.conversations.captcha import CHARACTERS, CaptchaStore
from server.web.api.conversations.envelope import create_endpoint
from server.web.api.conversations.fields import FieldReader
from server.web.api.guard import read_json
from tui_chat.protocol import errors, names
from tui_chat.protocol.accounts import validate_email
from tui_chat.protocol.limits import PASSWORD_CHARACTERS, SECRET_CHARACTERS

CODE_INTERVAL = 60.0
"""Seconds between two requests of a verification code for one email."""

USERNAME_LIMITS = (6, 20)
"""Minimum and maximum length of an account name of this dialect, in characters."""

_CODE = re.compile("[0-9]{6}")
_PASSWORD_RULES = (
    ("[0-9]", "password must contain a digit"),
    ("[a-z]", "password must contain a lower-case letter"),
    ("[A-Z]", "password must contain an upper-case letter"),
    (r"[!@#$%^&*;',.]", "password must contain one of !@#$%^&*;',."),
)
_EMAIL_CHARACTERS = 254
_MAX_CODE_REQUESTS = 10_000
_DEVICE_LABEL = "web application"


class ConversationAuthApi:
    """Handlers of `/api/auth/…`.

    Args:
        service: Operations of the dialect.
        account_service: Operations on accounts.
        accounts: Storage of accounts.
        authenticator: Verifier of credentials.
        registration: Policy of registrations.
        limits: Limits per address, None for no limits.
        monotonic: Monotonic clock, in seconds.
    """

    def __init__(
        self,
        service: ConversationService,
        account_service: AccountService,
        accounts: AccountRepository,
        authenticator: RequestAuthenticator,
        *,
        registration: RegistrationPolicy,
        limits: ApiLimits | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._service = service
        self._account_service = account_service
        self._accounts = accounts
        self._authenticator = authenticator
        self._registration = registration
        self._limits = limits
        self._monotonic = monotonic
        self._captchas = CaptchaStore(monotonic)
        self._codes_requested_at = LruTable[str, float](_MAX_CODE_REQUESTS)  # by email

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints (`HttpApi.add_routes`)."""
        app.router.add_post("/api/auth/sendCode", create_endpoint(self._send_code))
        app.router.add_post("/api/auth/register", create_endpoint(self._register))
        app.router.add_get("/api/auth/catpcha", self._get_captcha)
        app.router.add_post("/api/auth/login", create_endpoint(self._log_in))
        app.router.add_get("/api/auth/logout", create_endpoint(self._log_out))

    async def _send_code(self, request: web.Request) -> None:
        """Accept the request of a code, which is not sent; the case of the email does not matter.

        Raises:
            ValidationFailed: The email is missing or invalid.
            ConversationRejected: The last accepted request for the email is less than `CODE_INTERVAL` ago.
            RateLimited: Too many requests came from the address of the client.
        """
        self._acquire_form(self._authenticator.get_client(request).address)
        fields = FieldReader(await read_json(request, dict[str, Any]))
        email = _read_email(fields)
        fields.finish()
        now, requested_at = self._monotonic(), self._codes_requested_at.get(email.lower())
        if requested_at is not None and now - requested_at < CODE_INTERVAL:
            raise ConversationRejected("please wait a minute before the next code")
        self._codes_requested_at.put(email.lower(), now)

    async def _register(self, request: web.Request) -> None:
        """Create an account without a login; the nickname is the account name, and the email need not be unique.

        Raises:
            ValidationFailed: A field is missing or invalid, or `subPassword` is present and differs from `password`.
            ConversationRejected: The code does not consist of six digits, or the name is in use.
            Forbidden: The transport is not secure, or registrations need an invite or are closed.
            ChatError: The rate is exceeded, or the account is rejected (`AccountService.create_account`).
        """
        client = self._authenticator.require_secure(request)
        fields = FieldReader(await read_json(request, dict[str, Any]))
        username = fields.read_text("username", *USERNAME_LIMITS)
        email = _read_email(fields)
        password = _read_password(fields)
        code = fields.read_text("code", 0, SECRET_CHARACTERS)
        if fields.read_text("subPassword", 0, PASSWORD_CHARACTERS, required=False) not in ("", password):
            fields.reject("subPassword must be equal to password")
        fields.finish()
        if self._registration != "open":
            raise errors.Forbidden("registration_closed" if self._registration == "closed" else "invite_invalid")
        if not _CODE.fullmatch(code):
            raise ConversationRejected("email verification code is incorrect")
        acquire(self._limits, "registrations", client.address, "too_many_registrations")
        try:
            await self._account_service.create_account(username, password=password, address=client.address, email=email)
        except errors.Conflict:
            raise ConversationRejected("username already exists") from None

    async def _get_captcha(self, request: web.Request) -> web.Response:
        """Return the image of a new captcha for the `uid` of the query, without the envelope.

        Raises:
            RateLimited: Too many requests came from the address of the client.
        """
        self._acquire_form(self._authenticator.get_client(request).address)
        uid = request.query.get("uid", "")[:SECRET_CHARACTERS]
        return web.Response(text=self._captchas.create(uid), content_type="image/svg+xml")

    async def _log_in(self, request: web.Request) -> dict[str, Any]:
        """Verify captcha and password of an account (`_find_account`), and return a token with the account.

        The captcha stays valid for further logins. With an unknown account, the password check takes the same time and
        counts as a failed login.

        Raises:
            ValidationFailed: A field is missing or invalid.
            ConversationRejected: The captcha is wrong or expired, the account is missing or has no password, or the
                password is wrong.
            ChatError: The transport is not secure, a rate is exceeded, or an account with this password is suspended.
        """
        client = self._authenticator.require_secure(request)
        self._acquire_form(client.address)
        fields = FieldReader(await read_json(request, dict[str, Any]))
        login_name = fields.read_text("loginName", 1, _EMAIL_CHARACTERS)
        password = fields.read_text("password", 1, PASSWORD_CHARACTERS)
        code = fields.read_text("code", CHARACTERS, CHARACTERS)
        uid = fields.read_text("uid", 1, SECRET_CHARACTERS)
        fields.finish()
        if not self._captchas.verify(uid, code):
            raise ConversationRejected("captcha error")
        record = await self._find_account(login_name)
        name = login_name if record is None else record.account.name
        try:
            issued = await self._account_service.log_in(name, password, _DEVICE_LABEL, client.address)
        except errors.Unauthorized:
            raise ConversationRejected("account does not exist" if record is None else "wrong password") from None
        email = None if record is None else record.email
        return {"token": issued.token, "user": self._service.build_user(issued.account.id, email)}

    async def _log_out(self, request: web.Request) -> None:
        account = await self._authenticator.authenticate(request)
        await self._account_service.revoke_device(account, account.token_id)

    def _acquire_form(self, address: str) -> None:
        acquire(self._limits, "forms", address, "too_many_requests")

    async def _find_account(self, login_name: str) -> AccountRecord | None:
        """Return the account with a name, or for a text with `@` the oldest one with this email; None without one.

        The case of a name does not matter, that of an email does.
        """
        if "@" in login_name:
            return await self._accounts.find_by_email(login_name.strip())
        return await self._accounts.find(names.canonical_key(login_name))


def _read_email(fields: FieldReader) -> str:
    """Return the required email without surrounding space; add a problem and return "" for an invalid one."""
    email = fields.read_text("email", 1, _EMAIL_CHARACTERS)
    address = None
    with suppress(errors.BadRequest):
        address = validate_email(email)
    if email and address is None:
        fields.reject("email must be an email")
    return address or ""


def _read_password(fields: FieldReader) -> str:
    """Return the required password, even an invalid one; add a problem per missing kind of character."""
    password = fields.read_text("password", 1, PASSWORD_CHARACTERS)
    for pattern, problem in _PASSWORD_RULES:
        if not re.search(pattern, password):
            fields.reject(problem)
    return password
