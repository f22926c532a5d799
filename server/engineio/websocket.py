"""A session over a WebSocket: from the start, or upgraded from polling.

Rule 1  A session has one WebSocket, and one probe at a time.
Rule 2  A probe that fails changes nothing: the session goes on by polling.
Rule 3  It is closed by the closing handshake of RFC 6455 (section 7): our close frame,
        then reading on until the client's, or the end of its stream. So what was
        written arrives, however much the client is sending.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from aiohttp import WSMsgType, web

from server.engineio.session import NOOP_FRAME, EngineIOSession
from tui_chat.protocol.limits import PACKET_BYTES

if TYPE_CHECKING:
    WebSocket = web.WebSocketResponse[bool]

log = logging.getLogger("chat.engine")


async def serve_session(session: EngineIOSession, request: web.Request) -> web.StreamResponse:
    """Open the WebSocket of a new session; returns when that is over."""
    ws = _create_websocket()
    try:
        await ws.prepare(request)
        await _run_session(session, request, ws)
    except ConnectionError:
        # The client has gone during the handshake. Raised, it would be a traceback in the log for each.
        return ws if ws.prepared else web.Response()
    finally:
        session.finalize()
    return ws


async def upgrade_session(session: EngineIOSession, request: web.Request, probe_timeout: float) -> web.StreamResponse:
    """Move a polling session onto a WebSocket ("Upgrade"); returns when that is over.

    Args:
        session: No other probe may be under way.
        request: It asks for the WebSocket.
        patience: Seconds for the probe.
    """
    ws = _create_websocket()
    session.probe_request = request
    try:
        await ws.prepare(request)
        if not await _complete_probe(session, ws, probe_timeout):
            await ws.close()
            return ws
        session.probe_request = None
        try:
            await _run_session(session, request, ws)
        finally:
            session.finalize()
    except ConnectionError:
        return ws if ws.prepared else web.Response()
    finally:
        session.probe_request = None
        session.is_upgrading = False
    return ws


def _create_websocket() -> "WebSocket":
    # decode_text=False: the text goes to the JSON decoder as the bytes that came. Without compression a
    # connection costs a quarter of the memory, and a message is not compressed once per reader. The closing
    # handshake is ours (rule 3): the library's does not know what leaves past it.
    return web.WebSocketResponse(
        compress=False, max_msg_size=PACKET_BYTES, timeout=1.0, decode_text=False, autoclose=False
    )


async def _complete_probe(session: EngineIOSession, ws: "WebSocket", probe_timeout: float) -> bool:
    try:
        async with asyncio.timeout(probe_timeout):
            if await _receive_text(ws) != b"2probe" or session.closed:
                return False
            await ws.send_str("3probe")
            session.is_upgrading = True
            session.send_queue.resolve_poll(NOOP_FRAME)
            return await _receive_text(ws) == b"5" and not session.closed
    except TimeoutError:
        return False


async def _run_session(session: EngineIOSession, request: web.Request, ws: "WebSocket") -> None:
    """The session is on this WebSocket until that ends."""
    session.upgrade_to(cast(asyncio.Transport, request.transport))
    # In a task of its own each packet wakes four coroutines; from here it would be sixteen.
    await asyncio.get_running_loop().create_task(_read_messages(session, ws))


async def _read_messages(session: EngineIOSession, ws: "WebSocket") -> None:
    handle_packet = session.handle_packet
    while True:
        message = await ws.receive()
        if message.type is WSMsgType.TEXT:
            if not session.is_closing:
                await handle_packet(message.data)
        elif message.type is WSMsgType.BINARY:
            session.close("a binary frame")
        else:
            if message.type is WSMsgType.ERROR:
                log.info("a connection from %s broke the WebSocket protocol: %s", session.address, message.data)
            elif message.type is WSMsgType.CLOSE:
                session.close("the client left", logging.DEBUG)
                session.send_queue.close_transport()
            return


async def _receive_text(ws: "WebSocket") -> bytes | None:
    message = await ws.receive()
    return bytes(message.data) if message.type is WSMsgType.TEXT else None
