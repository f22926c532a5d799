"""Third-party server with test-defined responses."""

import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

HANDSHAKE_PACKET = '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536}'

RequestHandler = Callable[[web.WebSocketResponse, str, dict[str, Any]], Awaitable[dict[str, Any] | None]]


@asynccontextmanager
async def hostile_server(
    handle_request: RequestHandler,
    tls: ssl.SSLContext | None = None,
    accepts: Callable[[web.WebSocketResponse, Any], bool] = lambda _, __: True,
) -> AsyncGenerator[int]:
    """Run a minimal Socket.IO server and yield its port.

    Args:
        handle_request: Receives (socket, event name, body); a returned dict becomes the acknowledgement.
        tls: TLS configuration; None serves plain HTTP.
        accepts: Receives socket and token of each connection; a False result rejects the token.
    """

    async def serve_websocket(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_str(HANDSHAKE_PACKET)
        async for message in socket:
            packet = str(message.data)
            if packet.startswith("40"):
                await socket.send_str('40{"sid":"y"}')
                if not accepts(socket, json.loads(packet[2:] or "{}").get("token")):
                    await socket.send_str('42["authFail",{"message":"no\\u001b[31m","reason":"token_invalid"}]')
                    await socket.close()
            elif packet.startswith("42"):
                payload_start = packet.index("[")
                event, body = json.loads(packet[payload_start:])
                response = await handle_request(socket, event, body)
                if response is not None:
                    await socket.send_str(f"43{packet[2:payload_start]}{json.dumps([response])}")
        return socket

    app = web.Application()
    app.router.add_get("/socket.io/", serve_websocket)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


JOINED: dict[str, Any] = {
    "ok": True,
    "room": {"name": "tea", "topic": "to\x1b]0;pic", "logId": "x", "firstSeq": 1, "lastSeq": 0, "visibility": "public"},
    "nickName": "ann",
    "memberId": "m1",
    "guestKey": "k",
    "members": [
        {
            "memberId": "m2",
            "nickName": "e\x1b[31mve",
            "role": "member",
            "account": "a\x9bb",
            "via": "c\x1b]0;d",
        }
    ],
    "messages": [],
    "hasMore": False,
}
"""Response to a join of the room `tea`, with control characters in texts of other members."""


async def respond_to_join(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any] | None:
    """Accept joins and all other requests."""
    return JOINED if event == "joinRoom" else {"ok": True}


def message_packet(seq: int, text: str = "hi", **extra: Any) -> str:
    """Return the packet of a message by another member of `tea`."""
    fields = {"room": "tea", "seq": seq, "id": seq, "nickName": "eve", "memberId": "m2", "message": text, "ts": 1}
    return "42" + json.dumps(["message", {"kind": "message", **fields, **extra}])
