"""WebSocket transport of a session, from the start or after an upgrade from polling.

- Uniqueness: a session has at most one WebSocket and one pending probe.
- Failed probe: the session continues over polling; an answered probe has completed its waiting poll.
- Closing handshake (RFC 6455, section 7): after the server's close frame, reading continues until
  the client's close frame or the end of the stream. All written frames arrive, even while the
  client is sending.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any, cast

from aiohttp import WSCloseCode, WSMsgType, web

from server.engineio.packet_limiter import FrameMeter, TickBudget
from server.engineio.session import EngineIOSession
from server.engineio.session_state import SessionState
from tui_chat.protocol.errors import BadRequest, TooLong

log = logging.getLogger("chat.engineio")


class SessionWebSocket(web.WebSocketResponse[bool]):
    """WebSocket of a session, with the frames counted and an `error` event before the close for an oversized packet.

    Args:
        session: Session of the WebSocket.
    """

    def __init__(self, session: EngineIOSession) -> None:
        # decode_text=False passes the received bytes to the JSON decoder without a copy to str. compress=False
        # saves three quarters of the memory of a connection, and one compression per message and reader.
        # autoclose=False, because aiohttp does not know the frames written directly to the transport.
        super().__init__(
            compress=False,
            max_msg_size=session.options.max_packet_bytes + 1,  # aiohttp rejects a message of this size
            timeout=1.0,
            decode_text=False,
            autoclose=False,
        )
        self._session = session

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        """Close the WebSocket; return whether the call closed it (`aiohttp.web.WebSocketResponse.close`).

        aiohttp calls with code 1009 after an oversized packet; an open session then sends an `error` event first.
        """
        session = self._session
        if code == WSCloseCode.MESSAGE_TOO_BIG and session.state is SessionState.WEBSOCKET:
            session.push_error(TooLong("packet_too_long", limit=session.options.max_packet_bytes))
            session.send_queue.flush()
        return await super().close(code=code, message=message, drain=drain)

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        """Insert a `FrameMeter` before the parser, unless the session has no packet limit."""
        # The parser would process bytes that arrive with the handshake at once, before the meter counts their frames.
        handler: Any = request.protocol
        received, handler._message_tail = handler._message_tail, b""
        super()._post_start(request, protocol, writer)
        session = self._session
        if session.packet_limiter is not None:
            handler._payload_parser = FrameMeter(
                handler._payload_parser, handler, session.packet_limiter, session.close_flood
            )
        if received:
            handler._payload_parser.feed_data(received)


async def serve_session(
    session: EngineIOSession, request: web.Request, probe_timeout: float | None = None
) -> web.StreamResponse:
    """Accept a WebSocket and serve the session until its end.

    With a probe, the WebSocket upgrades a polling session (Engine.IO protocol v4, "Upgrade"): after a failed probe,
    only the WebSocket is closed and the session continues on polling. Otherwise the session is finalized in any case.
    A lost connection raises no error.

    Args:
        session: New session, or a session in the state POLLING for an upgrade.
        request: WebSocket request.
        probe_timeout: Seconds for the probe and the upgrade packet together; None for a new session.

    Returns:
        The WebSocket; an empty response if the connection is lost during the handshake.

    Raises:
        web.HTTPBadRequest: The WebSocket handshake is invalid.
    """
    ws = SessionWebSocket(session)
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


async def refuse(session: EngineIOSession, request: web.Request) -> web.StreamResponse:
    """Accept and close a WebSocket for a session that has one or a pending probe; the session continues.

    Returns:
        The closed WebSocket; an empty response if the connection is lost during the handshake.

    Raises:
        web.HTTPBadRequest: The WebSocket handshake is invalid.
    """
    ws = SessionWebSocket(session)
    with suppress(ConnectionError):
        await ws.prepare(request)
        await ws.close()
    return ws if ws.prepared else web.Response()


async def _complete_probe(session: EngineIOSession, ws: SessionWebSocket, probe_timeout: float) -> bool:
    """Answer the probe of a client, and return whether the upgrade packet follows.

    The answer also completes a waiting poll of the session. False for any other packet, after `probe_timeout` seconds
    for both packets together, and if the session has ended; the WebSocket stays open.
    """
    try:
        async with asyncio.timeout(probe_timeout):
            if await _receive_text(ws) != b"2probe":
                return False
            await ws.send_str("3probe")
            session.answer_probe()
            return await _receive_text(ws) == b"5" and session.state is not SessionState.CLOSED
    except TimeoutError:
        return False


async def _run_session(session: EngineIOSession, request: web.Request, ws: SessionWebSocket) -> None:
    """Serve the session on this WebSocket until the WebSocket closes or fails, and finalize the session.

    The send queue of the session writes to the transport directly, without a task. The packets of a POST in progress
    are handled before those of the WebSocket.

    Raises:
        IllegalTransition: The session already has a WebSocket, or its probe is not answered yet.
    """
    session.attach_websocket(cast(asyncio.Transport, request.transport))
    try:
        async with session.inbound_lock:
            # In a task, a packet resumes four nested coroutines; in the request handler of aiohttp, sixteen.
            await asyncio.get_running_loop().create_task(_read_messages(session, ws))
    finally:
        session.finalize()


async def _read_messages(session: EngineIOSession, ws: SessionWebSocket) -> None:
    """Pass the text messages to the session one at a time, until the WebSocket closes or fails.

    Messages to a closing session are discarded. A binary message closes the session with an `error` event; reading
    continues until the close frame of the client. After this frame, the session closes, and the transport closes after
    its write buffer is empty. A protocol error is logged.
    """
    handle_packet, open_state, budget = session.handle_packet, SessionState.WEBSOCKET, TickBudget()
    while True:
        message = await ws.receive()
        if message.type is WSMsgType.TEXT:
            if session.state is open_state:
                await handle_packet(message.data)
            if budget.consume(len(message.data)):
                await asyncio.sleep(0)
        elif message.type is WSMsgType.BINARY:
            session.reject(BadRequest("packet_binary"), "binary packet")
        else:
            if message.type is WSMsgType.ERROR:
                log.info("WebSocket protocol error from %s, ending the session: %s", session.address, message.data)
            elif message.type is WSMsgType.CLOSE:
                session.close("client disconnected", logging.DEBUG)
                session.send_queue.close_transport()
            return


async def _receive_text(ws: SessionWebSocket) -> bytes | None:
    """Return the next message; None for a binary message and after the end of the WebSocket."""
    message = await ws.receive()
    return bytes(message.data) if message.type is WSMsgType.TEXT else None
