"""Fixtures: a server, and an Engine.IO session per transport."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from server.engineio.engineio_server import EngineIOServer
from tests.support.in_process_server import running_server
from tests.support.polling_client import PollingClient, polling_client
from tests.support.raw_client import RawClient, raw_client


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """Server with the default settings, including the rate limits."""
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[EngineIOServer]:
    """Engines of all servers that start after this fixture, in order of their start."""
    started, start = list[EngineIOServer](), EngineIOServer.start

    def record(engine: EngineIOServer) -> None:
        started.append(engine)
        start(engine)

    monkeypatch.setattr(EngineIOServer, "start", record)
    return started


@pytest.fixture
async def polling(server: RunningServer) -> AsyncGenerator[PollingClient]:
    """Polling session after the Engine.IO handshake."""
    async with polling_client(server.url) as client:
        yield client


@pytest.fixture
async def websocket(server: RunningServer) -> AsyncGenerator[RawClient]:
    """WebSocket session after the Engine.IO handshake, without a CONNECT."""
    async with raw_client(server.url, connect=False) as client:
        yield client
