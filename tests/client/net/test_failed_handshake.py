"""Connections that the server aborts during the Engine.IO handshake."""

import asyncio
import gc

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tui_chat.client.client import ChatClient
from tui_chat.client.errors import Unreachable


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
    async with TestServer(app) as server:
        for _ in range(3):
            with pytest.raises(Unreachable):
                async with ChatClient(str(server.make_url("/"))):
                    pass
        gc.collect()  # a leaked resource warns at collection, and a warning fails the test
        await asyncio.sleep(0)
        gc.collect()
