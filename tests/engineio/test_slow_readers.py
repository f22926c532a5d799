"""Bounds of a send queue, each alone: bytes of a polling reader, bytes and progress of a WebSocket reader."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from server.engineio.engineio_server import EngineIOServer
from server.engineio.packets import Frame
from server.engineio.session import EngineIOSession
from tests.support.in_process_server import running_server
from tests.support.polling_client import polling_client
from tests.support.raw_websocket import raw_websocket
from tests.support.wait import wait_until

FRAME = Frame(b"4" + b"x" * 60_000)
LIMIT = 100_000
NO_LIMIT = 2**30


@asynccontextmanager
async def send_queue_server(directory: Path, **settings: Any) -> AsyncGenerator[RunningServer]:
    """Run a server without other timeouts than those of the send queue: ping and connect timeout are 600 seconds."""
    async with running_server(directory, ping_timeout=600.0, connect_timeout=600.0, **settings) as server:
        yield server


async def only_session(engine: EngineIOServer) -> EngineIOSession:
    """Wait for the only session of a server."""
    await wait_until(lambda: engine.sockets)
    (session,) = engine.sockets.values()
    return session


async def push_frames(session: EngineIOSession, count: int) -> None:
    """Push frames, with a flush after each frame unless the flush scheduler has a cooldown."""
    for _ in range(count):
        session.push(FRAME)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_a_polling_reader_is_aborted_at_the_byte_limit(tmp_path: Path, engines: list[EngineIOServer]) -> None:
    async with (
        send_queue_server(tmp_path, max_unsent_bytes=LIMIT, stall_timeout=600.0) as server,
        polling_client(server.url) as client,
    ):
        session = await only_session(engines[0])
        await push_frames(session, 1)
        assert len((await client.poll()).packets) == 1
        await push_frames(session, 1)
        assert engines[0].aborts == {}
        await push_frames(session, 1)
        await wait_until(lambda: engines[0].aborts == {"send queue overflow": 1})
        assert (await client.poll()).error == (400, 1)


async def test_a_websocket_reader_is_aborted_at_the_byte_limit(tmp_path: Path, engines: list[EngineIOServer]) -> None:
    async with (
        send_queue_server(tmp_path, max_unsent_bytes=LIMIT, stall_timeout=600.0) as server,
        raw_websocket(server.port),
    ):
        session = await only_session(engines[0])
        await push_frames(session, 1000)
        await wait_until(lambda: engines[0].aborts == {"send queue overflow": 1})


async def test_a_websocket_reader_without_progress_is_aborted_below_the_byte_limit(
    tmp_path: Path, engines: list[EngineIOServer]
) -> None:
    async with (
        send_queue_server(tmp_path, max_unsent_bytes=NO_LIMIT, stall_timeout=0.2, ping_interval=0.5) as server,
        raw_websocket(server.port),
    ):
        session = await only_session(engines[0])
        await push_frames(session, 500)
        await wait_until(lambda: engines[0].aborts == {"stalled reader": 1})


@pytest.mark.parametrize("limit", [LIMIT, NO_LIMIT])
async def test_a_websocket_reader_that_reads_is_not_aborted(
    tmp_path: Path, engines: list[EngineIOServer], limit: int
) -> None:
    async with (
        send_queue_server(tmp_path, max_unsent_bytes=limit, stall_timeout=0.1, ping_interval=0.2) as server,
        raw_websocket(server.port) as client,
    ):
        session = await only_session(engines[0])
        await client.read_frame()
        for _ in range(100):
            session.push(FRAME)
            while (await client.read_frame()).payload != FRAME.polling_bytes:
                client.write_text_frames("3")
        assert engines[0].aborts == {}
