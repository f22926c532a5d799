"""Client of the account endpoints."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from tests.support.accounts import PASSWORD


def to_headers(fields: Mapping[str, str]) -> dict[str, str]:
    """Return headers for keyword arguments; `_` in a name stands for `-`."""
    return {name.replace("_", "-"): value for name, value in fields.items()}


@dataclass(frozen=True)
class ApiResponse:
    """HTTP response of an endpoint; `body` is the decoded JSON, None without a body."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def reason(self) -> str:
        """Reason of a problem response."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        return self.body["reason"]


class AccountApiClient:
    """Client of one server.

    Args:
        session: HTTP session.
        url: Base URL of the server.
        headers: Headers of all requests.
    """

    def __init__(self, session: ClientSession, url: str, headers: dict[str, str] | None = None) -> None:
        self._session = session
        self._url = url
        self._headers = headers or {}

    def with_headers(self, **headers: str) -> "AccountApiClient":
        """Return a client that sends further headers, named as for `to_headers`."""
        return AccountApiClient(self._session, self._url, self._headers | to_headers(headers))

    def with_token(self, token: str) -> "AccountApiClient":
        """Return a client that sends a token."""
        return self.with_headers(Authorization=f"Bearer {token}")

    async def request(self, method: str, path: str, body: Any = None, **options: Any) -> ApiResponse:
        """Send a request with a JSON body, or without a body."""
        if body is not None:
            options["json"] = body
        async with self._session.request(method, self._url + path, headers=self._headers, **options) as response:
            is_json = response.content_type.endswith("json")
            return ApiResponse(
                response.status, await response.json(content_type=None) if is_json else None, dict(response.headers)
            )

    async def register(self, account: str, password: str = PASSWORD, **fields: str) -> ApiResponse:
        """Send a registration."""
        return await self.request("POST", "/api/accounts", {"account": account, "password": password, **fields})

    async def log_in(self, account: str, password: str = PASSWORD, **fields: str) -> ApiResponse:
        """Send a login."""
        return await self.request("POST", "/api/sessions", {"account": account, "password": password, **fields})


@asynccontextmanager
async def account_api(url: str) -> AsyncGenerator[AccountApiClient]:
    """Provide a client without credentials."""
    async with ClientSession() as session:
        yield AccountApiClient(session, url)
