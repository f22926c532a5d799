"""Internal errors in the shared loops: one connection ends, all others continue."""

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import WSCloseCode

from server.app import RunningServer
from server.domain.rate_limits import ConnectionLimiter
from server.engineio import engineio_server, flush_scheduler
from server.engineio.engineio_server import EngineIOServer
from server.engineio.namespace import Namespace
from server.engineio.send_queue import SendQueue
from server.engineio.session import EngineIOSession
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client

HEARTBEAT_CALLS = [
    (EngineIOSession, "tick"),
    (Namespace, "connect_timed_out"),
    (SendQueue, "is_stalled"),
    (SendQueue, "push"),
]
"""Calls in the heartbeat of a session in use."""

ABORT_CALLS = [
    (EngineIOSession, "abort"),
    (EngineIOSession, "finalize"),
    (SendQueue, "abort"),
    (SendQueue, "resolve_poll"),
    (ConnectionLimiter, "release"),
]
"""Calls in the heartbeat of a session after the ping timeout."""


class Fault:
    """Error at the first call that concerns one of the `targets`."""

    def __init__(self) -> None:
        self.targets: list[object] = []
        self.injected = 0

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: object) -> Any:
            if not self.injected and any(argument is target for argument in arguments for target in self.targets):
                self.injected += 1
                raise RuntimeError("injected")
            return function(*arguments)

        return call

    def set_target(self, session: EngineIOSession) -> None:
        namespace = session._namespace  # pyright: ignore[reportPrivateUsage]
        self.targets = [session, session.send_queue, namespace, session.address]


class FaultyTransport:
    """Transport whose method `name` raises."""

    def __init__(self, transport: object, name: str) -> None:
        self._transport = transport
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            raise RuntimeError("injected")
        return getattr(self._transport, name)


@pytest.fixture
async def server(tmp_path: Path, engines: list[EngineIOServer]) -> AsyncGenerator[RunningServer]:
    """Server with a short ping interval, whose engine is in `engines`."""
    async with running_server(tmp_path, ping_interval=0.3, ping_timeout=20) as running:
        yield running


def error_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log messages of the level ERROR or above."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def check_messages(sender: RawClient, reader: RawClient) -> None:
    """Check that the server stores and delivers a message, and sends pings."""
    assert (await sender.request("sendMessage", {"room": "tea", "message": "after"}))["ok"]
    await reader.wait_for_push("message", message="after")
    while (await reader.ws.receive()).data != "2":
        pass
    await reader.ws.send_str("3")


async def wait_for_leave(client: RawClient) -> None:
    """Wait until a member has left the room, and answer pings."""
    while not (await client.wait_for_push("presence"))["left"]:
        pass


async def check_readiness(server: RunningServer, status: int) -> None:
    """Check the status of `/ready`."""
    async with aiohttp.ClientSession() as session, session.get(server.url + "/ready") as answer:
        assert answer.status == status, await answer.text()


@pytest.mark.parametrize("call", HEARTBEAT_CALLS + ABORT_CALLS, ids=lambda call: f"{call[0].__name__}.{call[1]}")
async def test_an_error_in_the_heartbeat_of_a_session_ends_this_session_only(
    server: RunningServer,
    engines: list[EngineIOServer],
    call: tuple[type, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fault = Fault()
    monkeypatch.setattr(*call, fault.wrap(getattr(*call)))
    async with raw_client(server.url) as victim, raw_client(server.url) as ann, raw_client(server.url) as bob:
        await victim.join("tea", "victim")
        await ann.join("tea", "ann")
        await bob.join("tea", "bob")
        while "bob" not in [member["nickName"] for member in (await victim.wait_for_push("presence"))["joined"]]:
            pass
        session = engines[0].sockets[victim.handshake["sid"]]
        fault.set_target(session)
        if call in ABORT_CALLS:
            tick = EngineIOSession.tick

            def end_victim(ticked: EngineIOSession, now: float) -> None:
                if ticked is session:
                    ticked.abort("ping timeout")
                tick(ticked, now)

            monkeypatch.setattr(EngineIOSession, "tick", end_victim)
        await victim.wait_closed()
        await asyncio.gather(wait_for_leave(ann), wait_for_leave(bob))
        assert fault.injected == 1
        assert session not in engines[0].sockets.values()
        await check_messages(ann, bob)
        await check_readiness(server, 200)
    assert len(error_lines(caplog)) == 1


async def test_an_error_in_the_shutdown_of_a_session_ends_this_session_only(
    tmp_path: Path, engines: list[EngineIOServer], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fault = Fault()
    monkeypatch.setattr(SendQueue, "close", fault.wrap(SendQueue.close))
    async with AsyncExitStack() as clients:
        async with running_server(tmp_path) as server:
            victim, ann = [await clients.enter_async_context(raw_client(server.url)) for _ in range(2)]
            fault.set_target(engines[0].sockets[victim.handshake["sid"]])
            closed = asyncio.gather(victim.wait_closed(), ann.wait_closed())
        await closed
        assert ann.ws.close_code == WSCloseCode.OK
    assert engines[0].aborts == {"internal error": 1}
    assert error_lines(caplog) == ["internal error, aborting connection from 127.0.0.1"]


@pytest.mark.parametrize("name", ["flush", "write", "is_closing", "get_write_buffer_size"])
async def test_an_error_in_the_flush_of_a_session_ends_this_session_only(
    server: RunningServer,
    engines: list[EngineIOServer],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fault = Fault()
    monkeypatch.setattr(SendQueue, "flush", fault.wrap(SendQueue.flush))
    async with raw_client(server.url) as victim, raw_client(server.url) as ann, raw_client(server.url) as bob:
        for client, nick in ((victim, "victim"), (ann, "ann"), (bob, "bob")):
            await client.join("tea", nick)
        session = engines[0].sockets[victim.handshake["sid"]]
        if name == "flush":
            fault.set_target(session)
        else:
            queue: Any = session.send_queue
            queue._transport = FaultyTransport(queue._transport, name)
        assert (await ann.request("sendMessage", {"room": "tea", "message": "first"}))["ok"]
        await asyncio.gather(wait_for_leave(ann), wait_for_leave(bob))
        await check_messages(ann, bob)
        await victim.wait_closed()
        assert engines[0].aborts == {"internal error": 1}
        await check_readiness(server, 200)
    assert error_lines(caplog) == ["internal error, aborting connection from 127.0.0.1"]


@pytest.mark.parametrize("call", [2, 3, 4])
async def test_the_flush_scheduler_continues_after_an_error_of_its_own(
    server: RunningServer, call: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = itertools.count(1)

    def read_clock() -> float:
        if next(calls) == call:
            raise RuntimeError("injected")
        return time.perf_counter()

    async with raw_client(server.url) as ann, raw_client(server.url) as bob:
        await ann.join("tea", "ann")
        await bob.join("tea", "bob")
        monkeypatch.setattr(flush_scheduler, "time", SimpleNamespace(perf_counter=read_clock))
        await check_messages(ann, bob)
        await check_readiness(server, 503)
    assert error_lines(caplog) == ["flush scheduler failed, restarting"]


async def test_the_heartbeat_continues_after_an_error_of_its_own(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors = iter([RuntimeError("injected")])

    def read_clock() -> float:
        for error in errors:
            raise error
        return time.monotonic()

    async with raw_client(server.url) as ann, raw_client(server.url) as bob:
        await ann.join("tea", "ann")
        await bob.join("tea", "bob")
        monkeypatch.setattr(engineio_server, "time", SimpleNamespace(monotonic=read_clock))
        await check_messages(ann, bob)
        await check_messages(bob, ann)
        await check_readiness(server, 503)
    assert error_lines(caplog) == ["heartbeat failed, restarting"]
