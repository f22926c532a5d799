"""A session over HTTP long-polling (Engine.IO protocol v4, "HTTP long-polling").

Rule 1  One GET and one POST of a session at a time; a second one ends the session.
Rule 2  A GET is answered as soon as there is something, with all of it.
Rule 3  A POST is answered `ok` when its packets are worked off.
Rule 4  A session of which a request cannot be taken is over at once.
"""

import asyncio
import logging
from collections.abc import Sequence

from aiohttp import web

from server.engineio.errors import HandshakeError
from server.engineio.frames import Frame
from server.engineio.session import CLOSE_FRAME, NOOP_FRAME, EngineIOSession
from tui_chat.protocol.limits import PACKET_BYTES

MAX_PACKETS_PER_POST = 64
"""Packets that one polling request may carry; python-socketio's client sends at most 16."""

POST_BODY_TIMEOUT = 10.0
"""Seconds for the body of a request."""

_RECORD_SEPARATOR = b"\x1e"


async def handle_get(session: EngineIOSession, request: web.Request) -> web.Response:
    """Answer a GET."""
    if session.send_queue.has_waiting_poll:
        session.close_now("two polls at a time")
        return HandshakeError.BAD_REQUEST.to_response()
    if session.is_closing and not session.send_queue.has_pending:
        session.finalize()
        return _payload_response([CLOSE_FRAME])
    if session.is_upgrading:
        # Its client may wait for the end of this before it says that the upgrade is done.
        frames = session.send_queue.drain() or [NOOP_FRAME]
    else:
        frames = await session.send_queue.poll()
    if request.transport is None or request.transport.is_closing():
        session.close_now("a poll broke off", logging.DEBUG)
    return _payload_response(frames)


async def handle_post(session: EngineIOSession, request: web.Request) -> web.Response:
    """Work off a POST."""
    if session.post_in_progress:
        session.close_now("two POSTs at a time")
        return HandshakeError.BAD_REQUEST.to_response()
    session.post_in_progress = True
    try:
        return await _process_post(session, request)
    finally:
        session.post_in_progress = False


async def _process_post(session: EngineIOSession, request: web.Request) -> web.Response:
    try:
        async with asyncio.timeout(POST_BODY_TIMEOUT):
            body = await _read_body(request)
    except TimeoutError:
        session.close_now("a request that does not end")
        return HandshakeError.BAD_REQUEST.to_response()
    except (ConnectionError, web.RequestPayloadError):
        session.close_now("a request broke off", logging.DEBUG)
        return HandshakeError.BAD_REQUEST.to_response()
    packets = body.split(_RECORD_SEPARATOR, MAX_PACKETS_PER_POST) if body is not None else []
    if not 0 < len(packets) <= MAX_PACKETS_PER_POST:
        session.close_now("a request that is too long")
        return web.Response(status=413)
    if session.is_closing:  # what comes after the goodbye is dropped
        return _ok_response()
    for packet in packets:
        await session.handle_packet(packet)
        if session.protocol_error:
            session.finalize()
            return HandshakeError.BAD_REQUEST.to_response()
        if session.is_closing:
            break
    return _ok_response()


async def _read_body(request: web.Request) -> bytes | None:
    """The request's body, None when it is too long."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > PACKET_BYTES:
            return None
    return bytes(body)


def _payload_response(frames: Sequence[Frame]) -> web.Response:
    body = _RECORD_SEPARATOR.join([frame.polling_bytes for frame in frames])
    return _text_response(body)


def _ok_response() -> web.Response:
    return _text_response(b"ok")


def _text_response(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="text/plain", charset="utf-8", headers={"Cache-Control": "no-store"})
