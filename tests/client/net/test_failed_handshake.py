"""Connections with a failed Engine.IO handshake or closing handshake."""

import asyncio
import gc
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.app import RunningServer
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.accounts import AccountClient
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import Unreachable
from tui_chat.client.net.transport import Transport


@pytest.mark.parametrize("handshake", ["", "0", '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'])
async def test_a_connection_aborted_during_the_handshake_raises_unreachable_and_leaks_no_resources(
    handshake: str,
) -> None:
    async def abort_connection(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if handshake:
            await ws.send_str(handshake)
        assert request.transport is not None
        request.transport.abort()
        return ws

    app = web.Application()
    app.router.add_get("/socket.io/", abort_connection)
    gc.freeze()  # the collections below visit only objects of this test
    async with TestServer(app) as server:
        for _ in range(3):
            with pytest.raises(Unreachable):
                async with ChatClient(str(server.make_url("/"))):
                    pass
        gc.collect()  # a leaked resource warns at collection, and a warning fails the test
        await asyncio.sleep(0)
        gc.collect()


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ('{"message":"full"}', Unreachable("", message="full")),
        ('{"message":""}', Unreachable("server_closed")),
        ("{}", Unreachable("server_closed")),
    ],
)
async def test_a_rejected_connection_raises_the_error_of_the_server_or_a_text_for_an_empty_one(
    payload: str, error: Unreachable
) -> None:
    async def reject(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str('0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}')
        await ws.receive()
        await ws.send_str(f"44{payload}")
        await ws.receive()
        return ws

    app = web.Application()
    app.router.add_get("/socket.io/", reject)
    async with TestServer(app) as server:
        with pytest.raises(Unreachable) as raised:
            async with ChatClient(str(server.make_url("/"))):
                pass
    assert (raised.value.reason, raised.value.message) == (error.reason, error.message)


async def test_a_failed_cleanup_of_an_interrupted_attempt_is_no_unhandled_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop_errors: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: loop_errors.append(context))
    attempts: list[Transport] = []
    cleanups: list[Transport] = []

    async def fail_cleanup(transport: Transport) -> None:
        cleanups.append(transport)
        await cleanup(transport)
        raise RuntimeError("injected")

    async def connect(transport: Transport, *_: object) -> None:
        attempts.append(transport)
        await asyncio.Event().wait()

    cleanup = Transport._cleanup  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(Transport, "_cleanup", fail_cleanup)
    monkeypatch.setattr(Transport, "_connect", connect)
    gc.freeze()  # the collection below visits only objects of this test
    async with ChatClient("http://127.0.0.1:1", connect_in_background=True) as chat:
        await wait_until(lambda: attempts)
        chat.reconnect_now()
        await wait_until(lambda: len(attempts) == 2)
        assert len(cleanups) == 1
    gc.collect()
    await asyncio.sleep(0)
    assert loop_errors == []


@pytest.mark.parametrize("error", [asyncio.CancelledError(), RuntimeError("injected")])
async def test_a_cancelled_or_failed_closing_handshake_ends_the_connection(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    async def fail() -> None:
        raise error

    transport = await Transport.open(server.url, lambda _event, _body: None)
    client = transport._client  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(client, "disconnect", fail)
    await asyncio.wait_for(transport.close(), TIMEOUT)
    assert not client.connected
    await wait_until(lambda: server.read_metrics().connections == 0)


async def test_a_closed_connection_attempt_or_account_request_raises_a_readable_error() -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    closing_server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with closing_server:
        url = f"http://127.0.0.1:{closing_server.sockets[0].getsockname()[1]}"
        with pytest.raises(Unreachable, match="the server closed the connection"):
            async with ChatClient(url):
                pass
        with pytest.raises(Unreachable, match="the server closed the connection"):
            await AccountClient(url, token="t").list_devices()
