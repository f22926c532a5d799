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

from server.gateway.engine.session import NOOP_FRAME, Session
from server.protocol.limits import PACKET_BYTES

if TYPE_CHECKING:
    WebSocket = web.WebSocketResponse[bool]

log = logging.getLogger("chat.engine")


async def begin(session: Session, request: web.Request) -> web.StreamResponse:
    """Open the WebSocket of a new session; returns when that is over."""
    ws = _websocket()
    try:
        await ws.prepare(request)
        await _carry(session, request, ws)
    except ConnectionError:
        # The client has gone during the handshake. Raised, it would be a traceback in the log for each.
        return ws if ws.prepared else web.Response()
    finally:
        session.finish()
    return ws


async def upgrade(session: Session, request: web.Request, patience: float) -> web.StreamResponse:
    """Move a polling session onto a WebSocket ("Upgrade"); returns when that is over.

    Args:
        session: No other probe may be under way.
        request: It asks for the WebSocket.
        patience: Seconds for the probe.
    """
    ws = _websocket()
    session.probe = request
    try:
        await ws.prepare(request)
        if not await _probed(session, ws, patience):
            await ws.close()
            return ws
        session.probe = None
        try:
            await _carry(session, request, ws)
        finally:
            session.finish()
    except ConnectionError:
        return ws if ws.prepared else web.Response()
    finally:
        session.probe = None
        session.upgrading = False
    return ws


def _websocket() -> "WebSocket":
    # decode_text=False: the text goes to the JSON decoder as the bytes that came. Without compression a
    # connection costs a quarter of the memory, and a message is not compressed once per reader. The closing
    # handshake is ours (rule 3): the library's does not know what leaves past it.
    return web.WebSocketResponse(
        compress=False, max_msg_size=PACKET_BYTES, timeout=1.0, decode_text=False, autoclose=False
    )


async def _probed(session: Session, ws: "WebSocket", patience: float) -> bool:
    try:
        async with asyncio.timeout(patience):
            if await _text(ws) != b"2probe" or session.ended:
                return False
            await ws.send_str("3probe")
            session.upgrading = True
            session.out.end_poll(NOOP_FRAME)
            return await _text(ws) == b"5" and not session.ended
    except TimeoutError:
        return False


async def _carry(session: Session, request: web.Request, ws: "WebSocket") -> None:
    """The session is on this WebSocket until that ends."""
    session.move(cast(asyncio.Transport, request.transport))
    # In a task of its own each packet wakes four coroutines; from here it would be sixteen.
    await asyncio.get_running_loop().create_task(_read(session, ws))


async def _read(session: Session, ws: "WebSocket") -> None:
    receive = session.receive
    while True:
        message = await ws.receive()
        if message.type is WSMsgType.TEXT:
            if not session.closing:
                await receive(message.data)
        elif message.type is WSMsgType.BINARY:
            session.hang_up("a binary frame")
        else:
            if message.type is WSMsgType.ERROR:
                log.info("a connection from %s broke the WebSocket protocol: %s", session.address, message.data)
            elif message.type is WSMsgType.CLOSE:
                session.hang_up("the client left", logging.DEBUG)
                session.out.close()
            return


async def _text(ws: "WebSocket") -> bytes | None:
    message = await ws.receive()
    return bytes(message.data) if message.type is WSMsgType.TEXT else None
