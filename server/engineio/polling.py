"""Polling transport of a session (Engine.IO protocol v4, "HTTP long-polling").

- Concurrency: a session accepts one pending GET and one pending POST; a second one of either closes the session.
- GET: the response contains all queued frames, as soon as the queue is not empty.
- Lost polls: the disconnect of a waiting client is noticed at the next frame, which is lost, and closes the session.
- POST: the response is `ok` after all packets are handled.
- Failure: a request that fails closes the session immediately; an `error` event remains available to the next poll.
"""

import asyncio
import logging
import time

from aiohttp import web

from server.engineio.errors import InvalidRequest
from server.engineio.packet_limiter import TickBudget
from server.engineio.session import CLOSE_FRAME, NOOP_FRAME, EngineIOSession
from server.engineio.session_state import ENDING_STATES, WEBSOCKET_STATES, SessionState
from tui_chat.protocol.errors import TooLong

_RECORD_SEPARATOR = b"\x1e"


async def handle_get(session: EngineIOSession, request: web.Request) -> web.Response:
    """Wait for queued frames and return them as the response of a poll.

    The wait has no timeout of its own. The end of the session returns the queued frames, or a close packet if the queue
    is empty. A closing session with an empty queue returns the close packet immediately and ends. During an upgrade
    (`UPGRADING`), an empty queue returns a NOOP immediately. A second concurrent poll receives status 400 and closes
    the session. Polls above the packet rate are delayed, and receive status 400 if the session has moved to WebSocket
    in the meantime.
    """
    while session.poll_bucket is not None and (delay := session.poll_bucket.acquire(time.monotonic())):
        await asyncio.sleep(delay)
        if session.state in WEBSOCKET_STATES:
            return InvalidRequest.BAD_REQUEST.to_response()
    if session.send_queue.waiting_poll is not None:
        session.close_now("concurrent polls")
        return InvalidRequest.BAD_REQUEST.to_response()
    if session.state in ENDING_STATES and not session.send_queue.frames:
        session.finalize()
        return _create_text_response(CLOSE_FRAME.polling_bytes)
    if session.state is SessionState.UPGRADING:
        # A client may complete the upgrade only after its pending poll returns.
        frames = session.send_queue.drain() or [NOOP_FRAME]
    else:
        frames = await session.send_queue.poll()
    if request.transport is None or request.transport.is_closing():
        session.close_now("poll aborted by the client", logging.DEBUG)
    return _create_text_response(_RECORD_SEPARATOR.join([frame.polling_bytes for frame in frames]))


async def handle_post(session: EngineIOSession, request: web.Request) -> web.Response:
    """Handle the packets of a POST in order, and return `ok` after the last one.

    A body or a number of packets above the limit receives 413; an invalid packet, an internal error, an incomplete or
    late body, or a concurrent POST receives 400; each closes the session. Packets before an invalid one have taken
    effect. Packets after the close of the session are discarded with `ok`. Packets above the packet rate are delayed;
    a flood closes the session, and the response `ok` follows after `close_timeout`.
    """
    if session.inbound_lock.locked():
        session.close_now("concurrent POST requests")
        return InvalidRequest.BAD_REQUEST.to_response()
    async with session.inbound_lock:
        try:
            async with asyncio.timeout(session.options.post_body_timeout):
                body = await _read_body(request, session.options.max_packet_bytes)
        except TimeoutError:
            session.close_now("timeout of the POST body")
            return InvalidRequest.BAD_REQUEST.to_response()
        except (ConnectionError, web.RequestPayloadError):
            session.close_now("POST aborted by the client", logging.DEBUG)
            return InvalidRequest.BAD_REQUEST.to_response()
        if body is None:
            error = TooLong("packet_too_long", limit=session.options.max_packet_bytes)
            session.reject(error, "POST exceeds the size limit")
            return web.Response(status=413)
        packets = body.split(_RECORD_SEPARATOR, session.options.max_packets_per_post)
        if len(packets) > session.options.max_packets_per_post:
            session.close_now("POST exceeds the packet limit")
            return web.Response(status=413)
        budget = TickBudget()
        for packet in packets:
            if not await session.admit_packet(len(packet)):
                break
            if not await session.handle_packet(packet):
                return InvalidRequest.BAD_REQUEST.to_response()
            if budget.consume(len(packet)):
                await asyncio.sleep(0)
    return _create_text_response(b"ok")


async def _read_body(request: web.Request, max_bytes: int) -> bytes | None:
    """Return the request body, or None if the body is longer than `max_bytes`."""
    try:
        await request.content.readexactly(max_bytes + 1)
    except asyncio.IncompleteReadError as error:
        return error.partial
    return None


def _create_text_response(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="text/plain", charset="utf-8", headers={"Cache-Control": "no-store"})


HANDLERS = {"GET": handle_get, "POST": handle_post}
"""Handlers of polling requests by HTTP method."""
