"""Every event of every connection: which dialect it is of, whether it may be done now, what is answered.

Rule 1  An error of the tree becomes the answer here, and nowhere else; where no
        answer was asked for it becomes an `error` event.
Rule 2  Who asks for answers and is too fast is refused, and told when to repeat.
        Who asks for none could not know, so nothing of it is dropped: it is
        done when the rate allows, and until then nothing more is read from that
        connection. Whoever has been slowed for `flood_timeout` is cut.
Rule 3  Rates are of the transport: a client that leaves and comes back on it has
        used up what it had used up.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from msgspec import Raw

from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection, FrameSink
from server.gateway.dialects.dialect import Dialect
from server.gateway.fanout import encode_push_frame
from server.gateway.handlers import Clocks, Handlers
from server.gateway.rate_limits import RequestLimits
from tui_chat.protocol import events
from tui_chat.protocol.errors import BadRequest, ChatError, InternalError, RateLimited, Unavailable
from tui_chat.protocol.requests import Request

log = logging.getLogger("chat.gateway")


class Dispatcher:
    """Turns events into answers and pushes.

    Args:
        dialects: In the order in which they are asked; the last takes what is nobody's.
        commands: What can be done.
        lobby: Who is where.
        limits: How often a connection may ask.
        clock: The time.
        new_sid: Gives a new Socket.IO session id.
        flood_timeout: Seconds for which a connection may be slowed without a break.
    """

    def __init__(
        self,
        dialects: Sequence[Dialect],
        handlers: Handlers,
        room_registry: RoomRegistry[ClientConnection],
        request_limits: RequestLimits,
        *,
        clocks: Clocks,
        generate_sid: Callable[[], str],
        flood_timeout: float,
    ) -> None:
        self._handlers = handlers
        self._room_registry = room_registry
        self._request_limits = request_limits
        self._clocks = clocks
        self._generate_sid = generate_sid
        self._flood_timeout = flood_timeout
        self._connections: set[ClientConnection] = set()
        self._is_stopping = False
        self._fallback_dialect = dialects[-1]
        self._dialects_by_event: dict[str, list[Dialect]] = {}
        for dialect in dialects:
            for event in dialect.event_names:
                self._dialects_by_event.setdefault(event, []).append(dialect)

    # -- what the engine tells

    def on_connect(
        self, sink: FrameSink, address: str, auth: Raw | None, previous: ClientConnection | None
    ) -> ClientConnection:
        """A client wants in; guests need nothing, so `auth` is not looked at."""
        if self._is_stopping:
            raise Unavailable("the server is stopping", 1.0)
        rate_buckets = (
            self._request_limits.create_buckets(self._clocks.monotonic()) if previous is None else previous.rate_buckets
        )
        throttled_since = None if previous is None else previous.throttled_since
        connection = ClientConnection(sink, self._generate_sid(), address, rate_buckets, throttled_since)
        self._connections.add(connection)
        return connection

    async def dispatch(
        self, connection: ClientConnection, event: str, arguments: list[Raw], *, wants_ack: bool
    ) -> bytes | None:
        """Carry a request out, and answer it if an answer was asked for."""
        dialect = self._find_dialect(event, arguments)
        try:
            self._require_open(connection)
            request = dialect.decode(connection, event, arguments)
            if delay := self._check_rate(connection, request, wants_ack):
                await self._await_token(connection, request, delay)
            else:
                connection.throttled_since = None
            result = await dialect.handle(self._handlers, connection, request, wants_ack=wants_ack)
            return dialect.encode_result(result) if wants_ack else None
        except ChatError as error:
            if isinstance(error, BadRequest):
                self._count_invalid(connection)
            return self._respond_with_error(connection, dialect, error, wants_ack)
        except Exception:
            log.exception("a request could not be carried out")
            internal_error = InternalError("the server made a mistake; its log has the details")
            return self._respond_with_error(connection, dialect, internal_error, wants_ack)

    def on_disconnect(self, connection: ClientConnection) -> None:
        """The connection has ended."""
        self._connections.discard(connection)
        self._handlers.on_disconnect(connection)

    # -- what the operator sees and does

    @property
    def is_stopping(self) -> bool:
        """Whether it has said goodbye, and takes nobody and nothing any more."""
        return self._is_stopping

    def count_rooms_and_members(self) -> tuple[int, int]:
        """How many rooms have somebody in them, and how many members these have in all."""
        rooms = self._room_registry.rooms.values()
        return len(rooms), sum(len(room.participants) for room in rooms)

    @property
    def published_count(self) -> int:
        """Entries told to rooms since the start."""
        return self._handlers.published_count

    def announce_shutdown(self, reconnect_after: float) -> None:
        """Take no more requests, and tell everybody when to come back."""
        self._is_stopping = True
        frame = encode_push_frame(events.GOING_AWAY, events.GoingAwayPush(reconnect_after=reconnect_after))
        for connection in self._connections:
            connection.push(frame)

    def close(self) -> None:
        """Forget what was to be told later."""
        self._handlers.close()

    # -- one event

    def _find_dialect(self, event: str, arguments: list[Raw]) -> Dialect:
        for dialect in self._dialects_by_event.get(event, ()):
            if dialect.matches(event, arguments):
                return dialect
        return self._fallback_dialect

    def _require_open(self, connection: ClientConnection) -> None:
        if self._is_stopping:
            raise Unavailable("the server is stopping", 1.0)
        if connection not in self._connections:
            raise Unavailable("the connection has ended")

    def _check_rate(self, connection: ClientConnection, request: Request, wants_ack: bool) -> float:
        """Count a request; the seconds that it has to wait first (rule 2), 0 for one that may be done."""
        try:
            self._request_limits.acquire(connection.rate_buckets, request, self._clocks.monotonic())
        except RateLimited as error:
            if wants_ack:
                raise
            return error.retry_after or 0.001
        return 0

    async def _await_token(self, connection: ClientConnection, request: Request, delay: float) -> None:
        """Wait until the rate allows it."""
        while delay:
            self._throttle(connection)
            await asyncio.sleep(delay)
            self._require_open(connection)
            delay = self._check_rate(connection, request, wants_ack=False)

    def _throttle(self, connection: ClientConnection) -> None:
        now = self._clocks.monotonic()
        if connection.throttled_since is None:
            connection.throttled_since = now
        elif now - connection.throttled_since > self._flood_timeout:
            error = RateLimited("too much, for too long")
            _push_error(connection, error)
            connection.close("a flood")
            raise error

    def _respond_with_error(
        self, connection: ClientConnection, dialect: Dialect, error: ChatError, wants_ack: bool
    ) -> bytes | None:
        if wants_ack:
            return dialect.encode_failure(error)
        _push_error(connection, error)
        return None

    def _count_invalid(self, connection: ClientConnection) -> None:
        if not self._request_limits.allow_invalid_request(connection.rate_buckets, self._clocks.monotonic()):
            connection.close("too many requests that are not valid")


def _push_error(connection: ClientConnection, error: ChatError) -> None:
    error_push = events.ErrorPush(code=error.code, message=error.message, retry_after=error.retry_after)
    connection.push(encode_push_frame(events.ERROR, error_push))
