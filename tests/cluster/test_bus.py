"""Message bus on connections in memory."""

import asyncio
from collections.abc import Collection

import pytest

from server.cluster import bus
from server.cluster.bus import Bus, BusConnection, BusMessage
from server.observability.supervision import Supervisor


class SilentConnection:
    """Connection that accepts messages and delivers none."""

    async def subscribe(self, channels: Collection[str]) -> None: ...

    async def unsubscribe(self, channel: str) -> None: ...

    async def send(self, messages: Collection[BusMessage]) -> None: ...

    async def close(self) -> None: ...


async def test_a_connection_that_returns_no_heartbeat_is_replaced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bus, "ECHO_TIMEOUT", 0.01)
    is_replaced = asyncio.Event()
    connections: list[BusConnection] = []

    async def connect(*_: object) -> BusConnection:
        connections.append(SilentConnection())
        if len(connections) == 2:
            is_replaced.set()
        return connections[-1]

    task = Bus(connect, node_id="n1", prefix="").start(Supervisor())
    try:
        await is_replaced.wait()
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert "message bus failed: no response" in caplog.text
