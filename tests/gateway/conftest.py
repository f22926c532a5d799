"""Protocol-level clients of a running server."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.moderated_room import ModeratedRoom
from tests.support.raw_client import RawClient, raw_client


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[RawClient]:
    """Member of `tea` that has received its own join notice and presence."""
    async with raw_client(server.url) as member:
        await member.join("tea", "ann")
        assert (await member.wait_for_push("message"))["kind"] == "join"
        await member.wait_for_push("presence")
        yield member


@pytest.fixture
async def client(server: RunningServer) -> AsyncGenerator[RawClient]:
    """Connected client in no room."""
    async with raw_client(server.url) as connected:
        yield connected


@pytest.fixture
async def room(tmp_path: Path) -> AsyncGenerator[ModeratedRoom]:
    """Room `tea` on a server that trusts the addresses from local proxies."""
    proxies = ("127.0.0.0/8",)
    async with running_server(tmp_path, rate_limit="off", trusted_proxy=proxies) as server, AsyncExitStack() as stack:
        yield ModeratedRoom(server, stack)
