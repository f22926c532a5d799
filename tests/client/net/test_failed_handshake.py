"""Servers that die while they are being connected to."""

import asyncio
import gc

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tui_chat.client.client import ChatClient
from tui_chat.client.errors import Unreachable


@pytest.mark.parametrize("said", ["", "0", '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'])
async def test_a_server_that_dies_during_the_handshake_leaves_nothing_open(said: str) -> None:
    async def die(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if said:
            await ws.send_str(said)
        assert request.transport is not None
        request.transport.abort()
        return ws

    app = web.Application()
    app.router.add_get("/socket.io/", die)
    async with TestServer(app) as server:
        for _ in range(3):
            with pytest.raises(Unreachable):
                async with ChatClient(str(server.make_url("/"))):
                    pass
        gc.collect()  # whatever was left open complains now, and a complaint fails the test
        await asyncio.sleep(0)
        gc.collect()
