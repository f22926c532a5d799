"""Endpoint of server-sent events (docs/protocol.md, "Events").

- Heartbeat: a comment every `HEARTBEAT` seconds without an event.
- Slow readers: a response without progress for `stall_timeout` is aborted, as a session.
"""

import asyncio

from aiohttp import web
from msgspec import field

from server.gateway.event_stream import EventStream, EventStreams, encode_event
from server.web.api.endpoints import ApiCall, Endpoint, RawContent
from server.web.api.rooms import ROOM_PROBLEMS, RoomPath
from server.web.http_connections import HttpConnection
from tui_chat.protocol import errors
from tui_chat.protocol.request_base import NonNegative

HEARTBEAT = 15.0
"""Maximum time between two writes, in seconds."""

RETRY_AFTER = 1000
"""Delay before the reconnect of the reader after the end of a stream, in milliseconds."""

_WRITE_BYTES = 64 * 1024
_COMMENT = b":\n\n"
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx forwards each event immediately
}


class EventParameters(RoomPath, frozen=True):
    """Parameters of `GET /api/rooms/{name}/events`.

    Without a position, the stream continues after the state in the event `room`.

    Attributes:
        after: `seq` of the last received entry.
        last_event_id: The same, as browsers send the position after an interruption; precedes `after`.
    """

    after: NonNegative | None = None
    last_event_id: NonNegative | None = field(default=None, name="Last-Event-ID")


class EventApi:
    """Endpoint of the events of a room.

    Args:
        streams: Open streams of the server.
        stall_timeout: Maximum duration of a write without progress, in seconds.

    Attributes:
        endpoints: Declared endpoints.
    """

    def __init__(self, streams: EventStreams, stall_timeout: float) -> None:
        self._streams = streams
        self._stall_timeout = stall_timeout
        self.endpoints = (
            Endpoint(
                method="GET",
                path="/api/rooms/{name}/events",
                name="streamEvents",
                summary="Stream the entries of a room as server-sent events",
                tag="rooms",
                handle=self._stream,
                credentials="reader",
                parameters=EventParameters,
                response=RawContent({"text/event-stream": str}),
                problems=ROOM_PROBLEMS,
            ),
        )

    def add_routes(self, app: web.Application) -> None:
        """Register the end of all streams at the shutdown of an application; the route comes from `endpoints`."""
        app.on_shutdown.append(self._end_streams)

    async def _end_streams(self, _: web.Application) -> None:
        self._streams.close()

    async def _stream(self, call: ApiCall[EventParameters, None]) -> web.StreamResponse:
        """Write the event `room`, and then the entries until the end of the stream or of the connection.

        A `HEAD` request receives the headers only. The connection closes in any case. A stalled reader, and one whose
        queue is full, is aborted. If the database fails, the response ends without an error.

        Raises:
            ChatError: The room is not readable, or a limit of connections is exceeded (`EventStreams.open`).
        """
        request, parameters = call.request, call.parameters
        after = parameters.after if parameters.last_event_id is None else parameters.last_event_id
        response = web.StreamResponse(headers=_HEADERS)
        response.force_close()
        async with self._streams.open(call.caller, parameters.name, after, lambda: _abort(request)) as (
            stream,
            details,
        ):
            protocol = request.protocol
            if isinstance(protocol, HttpConnection):
                protocol.on_lost = stream.close
            await response.prepare(request)
            if request.method == "GET":
                try:
                    await self._write(response, encode_event("room", details))
                    await self._forward(response, stream)
                except TimeoutError:
                    _abort(request)
                except (errors.Unavailable, ConnectionError):
                    pass  # the reader resumes after its last event id
        return response

    async def _forward(self, response: web.StreamResponse, stream: EventStream) -> None:
        """Write the events of a stream until its end, comments in between, and finally the delay of the reconnect."""
        while (chunk := await stream.read(HEARTBEAT)) is not None:
            await self._write(response, chunk or _COMMENT)
        await self._write(response, b"retry: %d\n\n" % RETRY_AFTER)

    async def _write(self, response: web.StreamResponse, chunk: bytes) -> None:
        """Write bytes in parts of at most `_WRITE_BYTES`.

        Raises:
            TimeoutError: A part is not accepted within `stall_timeout`.
            ConnectionError: The connection is lost.
        """
        for start in range(0, len(chunk), _WRITE_BYTES):
            async with asyncio.timeout(self._stall_timeout):
                await response.write(chunk[start : start + _WRITE_BYTES])


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
