"""Accounts of a server in the test process."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from server.app import RunningServer
from server.domain.account_directory import ServerRole
from server.gateway.account_service import IssuedToken
from tests.support.raw_client import RawClient, raw_client
from tui_chat.session.store.login_store import LoginStore, SavedLogin

PASSWORD = "correct horse"


async def create_account(
    server: RunningServer,
    name: str = "ann",
    *,
    nick_name: str | None = None,
    password: str | None = None,
    role: ServerRole = "user",
    is_bot: bool = False,
) -> IssuedToken:
    """Create an account and return a token; an account without a password needs no hash computation."""
    account = await server.account_service.create_account(
        name, password=password, address="127.0.0.1", nick_name=nick_name, role=role, is_bot=is_bot
    )
    return await server.account_service.issue_token(account, "test")


def save_login(server: RunningServer, issued: IssuedToken, directory: Path) -> None:
    """Save a login of the terminal client in its state directory."""
    login = SavedLogin(server=server.url, account=issued.account.name, token=issued.token)
    assert LoginStore(directory).save(login) == ""


@asynccontextmanager
async def open_connection(
    server: RunningServer, auth: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> AsyncGenerator[tuple[RawClient, str | None]]:
    """Open a connection; yield the client and the first packet after CONNECT was sent."""
    async with raw_client(server.url, connect=False, headers=headers) as client:
        await client.ws.send_str("40" + ("" if auth is None else json.dumps(auth)))
        yield client, await client.read_packet()


@asynccontextmanager
async def connect_account(server: RunningServer, name: str) -> AsyncGenerator[RawClient]:
    """Connect with a new account."""
    issued = await create_account(server, name)
    async with raw_client(server.url, headers={"Authorization": f"Bearer {issued.token}"}) as client:
        yield client
