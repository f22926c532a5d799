"""Protocol-level clients of a running server."""

from collections.abc import AsyncGenerator

import pytest

from server.app import RunningServer
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
