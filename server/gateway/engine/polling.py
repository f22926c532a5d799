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

from server.gateway.engine.faults import Fault
from server.gateway.engine.session import CLOSE_FRAME, NOOP_FRAME, Session
from server.gateway.frames import Frame
from server.protocol.limits import PACKET_BYTES

PACKETS_PER_POST = 64
"""Packets that one polling request may carry; python-socketio's client sends at most 16."""

POST_TIMEOUT = 10.0
"""Seconds for the body of a request."""

_SEPARATOR = b"\x1e"


async def poll(session: Session, request: web.Request) -> web.Response:
    """Answer a GET."""
    if session.out.polled:
        session.over("two polls at a time")
        return Fault.BAD_REQUEST.answer()
    if session.closing and not session.out.owing:
        session.finish()
        return _payload([CLOSE_FRAME])
    if session.upgrading:
        # Its client may wait for the end of this before it says that the upgrade is done.
        frames = session.out.take() or [NOOP_FRAME]
    else:
        frames = await session.out.poll()
    if request.transport is None or request.transport.is_closing():
        session.over("a poll broke off", logging.DEBUG)
    return _payload(frames)


async def post(session: Session, request: web.Request) -> web.Response:
    """Work off a POST."""
    if session.posting:
        session.over("two POSTs at a time")
        return Fault.BAD_REQUEST.answer()
    session.posting = True
    try:
        return await _post(session, request)
    finally:
        session.posting = False


async def _post(session: Session, request: web.Request) -> web.Response:
    try:
        async with asyncio.timeout(POST_TIMEOUT):
            body = await _body(request)
    except TimeoutError:
        session.over("a request that does not end")
        return Fault.BAD_REQUEST.answer()
    except (ConnectionError, web.RequestPayloadError):
        session.over("a request broke off", logging.DEBUG)
        return Fault.BAD_REQUEST.answer()
    parts = body.split(_SEPARATOR, PACKETS_PER_POST) if body is not None else []
    if not 0 < len(parts) <= PACKETS_PER_POST:
        session.over("a request that is too long")
        return web.Response(status=413)
    if session.closing:  # what comes after the goodbye is dropped
        return _ok()
    for part in parts:
        await session.receive(part)
        if session.broken:
            session.finish()
            return Fault.BAD_REQUEST.answer()
        if session.closing:
            break
    return _ok()


async def _body(request: web.Request) -> bytes | None:
    """The request's body, None when it is too long."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > PACKET_BYTES:
            return None
    return bytes(body)


def _payload(frames: Sequence[Frame]) -> web.Response:
    body = _SEPARATOR.join([frame.payload for frame in frames])
    return _text(body)


def _ok() -> web.Response:
    return _text(b"ok")


def _text(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="text/plain", charset="utf-8", headers={"Cache-Control": "no-store"})
