"""WebSocket transport of a session, from the start or after an upgrade from polling.

- Uniqueness: a session has at most one WebSocket and one pending probe.
- Failed probe: a failed upgrade changes nothing; the session continues over polling.
- Closing handshake (RFC 6455, section 7): after the server's close frame, reading continues until
  the client's close frame or the end of the stream. All written frames arrive, even while the
  client is sending.
"""

import asyncio
import logging
from typing import cast

from aiohttp import WSMsgType, web

from server.engineio.session import EngineIOSession
from server.engineio.session_state import SessionState
from tui_chat.protocol.limits import PACKET_BYTES

WebSocket = web.WebSocketResponse[bool]

log = logging.getLogger("chat.engineio")


async def serve_session(
    session: EngineIOSession, request: web.Request, probe_timeout: float | None = None
) -> web.StreamResponse:
    """Accept a WebSocket and serve the session until its end.

    With a probe, the WebSocket upgrades a polling session (Engine.IO protocol v4, "Upgrade"): after a failed probe,
    only the WebSocket is closed and the session continues on polling. Otherwise the session is finalized in any case.
    A lost connection raises nothing.

    Args:
        session: New session, or a session in the state POLLING for an upgrade.
        request: WebSocket request.
        probe_timeout: Seconds for the probe and the upgrade packet together; None for a new session.
    """
    # decode_text=False passes the received bytes to the JSON decoder without a copy to str. compress=False
    # saves three quarters of the memory of a connection, and one compression per message and reader.
    # autoclose=False, because aiohttp does not know the frames written directly to the transport.
    ws = web.WebSocketResponse(
        compress=False, max_msg_size=PACKET_BYTES, timeout=1.0, decode_text=False, autoclose=False
    )
    if probe_timeout is not None:
        session.begin_probe(request.transport)
    try:
        await ws.prepare(request)
        if probe_timeout is None or await _complete_probe(session, ws, probe_timeout):
            await _run_session(session, request, ws)
        else:
            await ws.close()
    except ConnectionError:
        # Disconnect during the handshake or the probe; raised further, aiohttp would log a traceback.
        return ws if ws.prepared else web.Response()
    finally:
        if probe_timeout is None:
            session.finalize()
        else:
            session.end_probe()
    return ws


async def _complete_probe(session: EngineIOSession, ws: WebSocket, probe_timeout: float) -> bool:
    try:
        async with asyncio.timeout(probe_timeout):
            if await _receive_text(ws) != b"2probe":
                return False
            await ws.send_str("3probe")
            session.answer_probe()
            return await _receive_text(ws) == b"5" and session.state is not SessionState.CLOSED
    except TimeoutError:
        return False


async def _run_session(session: EngineIOSession, request: web.Request, ws: WebSocket) -> None:
    """Serve the session on this WebSocket until its end, and finalize the session."""
    session.attach_websocket(cast(asyncio.Transport, request.transport))
    try:
        async with session.inbound_lock:  # a POST in progress precedes the packets of the WebSocket
            # In a task, a packet resumes four nested coroutines; in the request handler of aiohttp, sixteen.
            await asyncio.get_running_loop().create_task(_read_messages(session, ws))
    finally:
        session.finalize()


async def _read_messages(session: EngineIOSession, ws: WebSocket) -> None:
    handle_packet, open_state = session.handle_packet, SessionState.WEBSOCKET
    while True:
        message = await ws.receive()
        if message.type is WSMsgType.TEXT:
            if session.state is open_state:
                await handle_packet(message.data)
        elif message.type is WSMsgType.BINARY:
            session.close("binary frame received")
        else:
            if message.type is WSMsgType.ERROR:
                log.info("WebSocket protocol error from %s, ending the session: %s", session.address, message.data)
            elif message.type is WSMsgType.CLOSE:
                session.close("client disconnected", logging.DEBUG)
                session.send_queue.close_transport()
            return


async def _receive_text(ws: WebSocket) -> bytes | None:
    message = await ws.receive()
    return bytes(message.data) if message.type is WSMsgType.TEXT else None
