"""Client, account and rate limits of requests to `/api/`.

Passwords are accepted only over TLS or from the same machine, unless the operator allows plain HTTP.
"""

from collections.abc import Callable
from typing import Literal, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from server.domain.account_directory import AccountIdentity
from server.domain.rate_limits import PerAddressLimiter, is_loopback
from server.engineio.connection import ClientConnection
from server.forwarded import ClientInfo, IPNetwork, get_client_info
from server.gateway.http_callers import CallerIdentifier, HttpCaller
from tui_chat.protocol import errors

REGISTRATIONS_PER_MINUTE = 60
"""Registrations per client address, enough for a class behind one address."""

CHANGES_PER_MINUTE = 120
"""Changes of profiles per client address."""

UPLOADS_PER_MINUTE = 60
"""Uploads per client address."""

FORMS_PER_MINUTE = 120
"""Verification codes, captchas and logins of the conversation dialect per client address."""

JOINS_PER_MINUTE = 60
"""Joins of groups per client address, including failed ones."""

LimitedOperation = Literal["registrations", "changes", "uploads", "forms", "joins"]
"""Operations with separate rate limits."""


class HttpApi(Protocol):
    """Group of endpoints."""

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints to an application; `create_api_guard` must enclose them."""
        ...


class ApiLimits:
    """Rate limits per client address, shared by all endpoints.

    Args:
        monotonic: Monotonic clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._limiters: dict[LimitedOperation, PerAddressLimiter] = {
            "registrations": PerAddressLimiter(REGISTRATIONS_PER_MINUTE),
            "changes": PerAddressLimiter(CHANGES_PER_MINUTE),
            "uploads": PerAddressLimiter(UPLOADS_PER_MINUTE),
            "forms": PerAddressLimiter(FORMS_PER_MINUTE),
            "joins": PerAddressLimiter(JOINS_PER_MINUTE),
        }

    def acquire(self, operation: LimitedOperation, address: str) -> float:
        """Acquire a token of an address; return 0.0 on success, otherwise the seconds until the next token."""
        return self._limiters[operation].acquire(address, self._monotonic())


class RequestAuthenticator:
    """Verifier of the credentials of requests, and of the protection of passwords in transit.

    Args:
        callers: Verifier of credentials.
        trusted_networks: Networks of trusted reverse proxies.
        allow_insecure: Accept passwords over plain HTTP from other machines.
    """

    def __init__(
        self, callers: CallerIdentifier, trusted_networks: tuple[IPNetwork, ...], *, allow_insecure: bool
    ) -> None:
        self._callers = callers
        self._trusted_networks = trusted_networks
        self._allow_insecure = allow_insecure

    def get_client(self, request: web.Request) -> ClientInfo:
        """Return the client of a request."""
        return get_client_info(request, self._trusted_networks)

    def require_secure(self, request: web.Request) -> ClientInfo:
        """Return the client of a request with a password.

        Raises:
            Forbidden: The client has no loopback address, the scheme that the client uses is not `https`, and the
                operator does not allow plain HTTP. Trusted reverse proxies report address and scheme.
        """
        client = self.get_client(request)
        scheme = request.scheme if client.server_origin is None else urlsplit(client.server_origin).scheme
        if not (self._allow_insecure or scheme == "https" or is_loopback(client.address)):
            raise errors.Forbidden("login_insecure")
        return client

    async def identify(self, request: web.Request, *, is_optional: bool = False) -> HttpCaller:
        """Return the account or the guest of a request, and record the use of a token.

        Args:
            request: Request with a token or a guest key in the header `Authorization`.
            is_optional: As in `CallerIdentifier.identify`.

        Raises:
            Unauthorized: The request has no valid token and no valid guest key, or the server accepts no guests.
            Unavailable: The token cannot be read.
        """
        return await self._callers.identify(
            request.headers.get("Authorization", ""), self.get_client(request).address, is_optional=is_optional
        )

    async def authenticate(self, request: web.Request) -> AccountIdentity:
        """Return the account of the token of a request, and record the use of the token.

        Raises:
            Unauthorized: The request has no valid token.
            Unavailable: The token cannot be read.
        """
        return await self._callers.identify_account(request.headers.get("Authorization", ""))

    def create_connection(self, request: web.Request, account: AccountIdentity) -> ClientConnection:
        """Return the account of a request as a connection for the request handlers (`HttpCaller`)."""
        address = self.get_client(request).address
        return HttpCaller(address=address, member_id=account.member_id, account=account).create_connection()


def acquire(limits: ApiLimits | None, operation: LimitedOperation, address: str, reason: str) -> None:
    """Acquire a token of an address for an operation; without effect if `limits` is None.

    Raises:
        RateLimited: The rate of the address is exceeded; the error has the given reason.
    """
    retry_after = 0.0 if limits is None else limits.acquire(operation, address)
    if retry_after:
        raise errors.RateLimited(reason, retry_after=round(retry_after, 3))
