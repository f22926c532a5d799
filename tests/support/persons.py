"""Persons on a server in the test process: guests, accounts and administrators with their connections."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from server.app import RunningServer
from tests.support.accounts import create_account
from tests.support.raw_client import RawClient, raw_client

Kind = Literal["guest", "account", "admin"]


@dataclass
class Person:
    """Person with one connection.

    Attributes:
        client: Connection.
        name: Nickname, and the account name.
        member_id: Member id, empty for a guest before the first join.
        guest_key: Guest key of the last join, empty for accounts.
        token: Token of an account, empty for a guest.
    """

    client: RawClient
    name: str
    member_id: str = ""
    guest_key: str = ""
    token: str = ""

    @property
    def authorization(self) -> str:
        """Value of the header `Authorization` in HTTP requests."""
        return f"Bearer {self.token}" if self.token else f"Guest {self.guest_key}"

    async def join(self, room: str = "tea", **fields: Any) -> str:
        """Join a room; return an empty text, or the reason of the error."""
        key = {"guestKey": self.guest_key} if self.guest_key else {}
        response = await self.client.request(
            "joinRoom", {"roomName": room, "nickName": self.name, "limit": 1, **key, **fields}
        )
        if not response["ok"]:
            return response["error"]["reason"]
        self.member_id, self.guest_key = response["memberId"], response["guestKey"]
        return ""

    async def attempt(self, event: str, *, room: str = "tea", **fields: Any) -> str:
        """Send a request for a room; return an empty text, or the reason of the error.

        Args:
            event: Name of the request.
            room: Room of the request.
            fields: Other fields; a trailing underscore of a name is removed.
        """
        payload = {name.rstrip("_"): value for name, value in fields.items()}
        response = await self.client.request(event, {"room": room, **payload})
        return "" if response["ok"] else response["error"]["reason"]

    async def send(self, text: str = "hi", *, room: str = "tea") -> int:
        """Send a message and return its `seq`."""
        response = await self.client.request("sendMessage", {"room": room, "message": text})
        assert response["ok"], response
        return response["seq"]

    async def read_log(self, room: str = "tea") -> list[dict[str, Any]]:
        """Return all entries of a room."""
        entries: list[dict[str, Any]] = []
        has_more = True
        while has_more:
            after = entries[-1]["seq"] if entries else 0
            page = await self.client.request("history", {"room": room, "after": after, "limit": 200})
            assert page["ok"], page
            entries += page["messages"]
            has_more = page["hasMore"]
        return entries


@asynccontextmanager
async def connect_person(
    server: RunningServer, name: str, kind: Kind = "guest", *, address: str | None = None, token: str | None = None
) -> AsyncGenerator[Person]:
    """Connect a person without a join.

    Args:
        server: Server in the test process.
        name: Nickname, and the name of the new account.
        kind: Guest, account or administrator.
        address: Address of the client; requires a server that trusts the proxy 127.0.0.1.
        token: Token of an existing account instead of a new account.
    """
    headers = {} if address is None else {"X-Forwarded-For": address}
    if kind != "guest" and token is None:
        issued = await create_account(server, name, role="admin" if kind == "admin" else "user")
        token = issued.token
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    async with raw_client(server.url, headers=headers) as client:
        yield Person(client, name, token=token or "")
