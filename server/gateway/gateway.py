"""Every event of every connection: which dialect it is of, whether it may be done now, what is answered.

Rule 1  An error of the tree becomes the answer here, and nowhere else; where no
        answer was asked for it becomes an `error` event.
Rule 2  Who asks for answers and is too fast is refused, and told when to repeat.
        Who asks for none could not know, so nothing of it is dropped: it is
        done when the rate allows, and until then nothing more is read from that
        connection. Whoever has been slowed for `flood_patience` is cut.
Rule 3  Rates are of the transport: a client that leaves and comes back on it has
        used up what it had used up.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from msgspec import Raw

from server.domain.rooms import RoomRegistry
from server.gateway.commands import Clock, Commands
from server.gateway.connection import Connection, Wire
from server.gateway.dialects.dialect import Dialect
from server.gateway.fanout import push_frame
from server.gateway.limits import RequestLimits
from server.protocol import entries
from server.protocol.errors import BadRequest, ChatError, InternalError, RateLimited, Unavailable
from server.protocol.requests import Request

log = logging.getLogger("chat.gateway")


class ChatGateway:
    """Turns events into answers and pushes.

    Args:
        dialects: In the order in which they are asked; the last takes what is nobody's.
        commands: What can be done.
        lobby: Who is where.
        limits: How often a connection may ask.
        clock: The time.
        new_sid: Gives a new Socket.IO session id.
        flood_patience: Seconds for which a connection may be slowed without a break.
    """

    def __init__(
        self,
        dialects: Sequence[Dialect],
        commands: Commands,
        lobby: RoomRegistry[Connection],
        limits: RequestLimits,
        *,
        clock: Clock,
        new_sid: Callable[[], str],
        flood_patience: float,
    ) -> None:
        self._commands = commands
        self._lobby = lobby
        self._limits = limits
        self._clock = clock
        self._new_sid = new_sid
        self._flood_patience = flood_patience
        self._connections: set[Connection] = set()
        self._stopping = False
        self._fallback = dialects[-1]
        self._dialects: dict[str, list[Dialect]] = {}
        for dialect in dialects:
            for event in dialect.events:
                self._dialects.setdefault(event, []).append(dialect)

    # -- what the engine tells

    def arrived(self, wire: Wire, address: str, auth: Raw | None, former: Connection | None) -> Connection:
        """A client wants in; guests need nothing, so `auth` is not looked at."""
        if self._stopping:
            raise Unavailable("the server is stopping", 1.0)
        buckets = self._limits.buckets(self._clock.monotonic()) if former is None else former.buckets
        slow_since = None if former is None else former.slow_since
        connection = Connection(wire, self._new_sid(), address, buckets, slow_since)
        self._connections.add(connection)
        return connection

    async def event(self, connection: Connection, name: str, arguments: list[Raw], *, answered: bool) -> bytes | None:
        """Carry a request out, and answer it if an answer was asked for."""
        dialect = self._dialect(name, arguments)
        try:
            self._go_on(connection)
            request = dialect.decode(connection, name, arguments)
            if wait := self._admit(connection, request, answered):
                await self._take_turn(connection, request, wait)
            else:
                connection.slow_since = None
            result = await dialect.carry_out(self._commands, connection, request, answered=answered)
            return dialect.answer(result) if answered else None
        except ChatError as refusal:
            if isinstance(refusal, BadRequest):
                self._count_fault(connection)
            return self._refused(connection, dialect, refusal, answered)
        except Exception:
            log.exception("a request could not be carried out")
            mistake = InternalError("the server made a mistake; its log has the details")
            return self._refused(connection, dialect, mistake, answered)

    def gone(self, connection: Connection) -> None:
        """The connection has ended."""
        self._connections.discard(connection)
        self._commands.gone(connection)

    # -- what the operator sees and does

    @property
    def stopping(self) -> bool:
        """Whether it has said goodbye, and takes nobody and nothing any more."""
        return self._stopping

    def present(self) -> tuple[int, int]:
        """How many rooms have somebody in them, and how many members these have in all."""
        rooms = self._lobby.rooms.values()
        return len(rooms), sum(len(room.participants) for room in rooms)

    @property
    def published(self) -> int:
        """Entries told to rooms since the start."""
        return self._commands.published

    def say_goodbye(self, reconnect_after: float) -> None:
        """Take no more requests, and tell everybody when to come back."""
        self._stopping = True
        frame = push_frame(entries.GOING_AWAY, entries.GoingAwayPush(reconnect_after=reconnect_after))
        for connection in self._connections:
            connection.push(frame)

    def close(self) -> None:
        """Forget what was to be told later."""
        self._commands.close()

    # -- one event

    def _dialect(self, event: str, arguments: list[Raw]) -> Dialect:
        for dialect in self._dialects.get(event, ()):
            if dialect.takes(event, arguments):
                return dialect
        return self._fallback

    def _go_on(self, connection: Connection) -> None:
        if self._stopping:
            raise Unavailable("the server is stopping", 1.0)
        if connection not in self._connections:
            raise Unavailable("the connection has ended")

    def _admit(self, connection: Connection, request: Request, answered: bool) -> float:
        """Count a request; the seconds that it has to wait first (rule 2), 0 for one that may be done."""
        try:
            self._limits.admit(connection.buckets, request, self._clock.monotonic())
        except RateLimited as refusal:
            if answered:
                raise
            return refusal.retry_after or 0.001
        return 0

    async def _take_turn(self, connection: Connection, request: Request, wait: float) -> None:
        """Wait until the rate allows it."""
        while wait:
            self._slow(connection)
            await asyncio.sleep(wait)
            self._go_on(connection)
            wait = self._admit(connection, request, answered=False)

    def _slow(self, connection: Connection) -> None:
        now = self._clock.monotonic()
        if connection.slow_since is None:
            connection.slow_since = now
        elif now - connection.slow_since > self._flood_patience:
            refusal = RateLimited("too much, for too long")
            _tell(connection, refusal)
            connection.hang_up("a flood")
            raise refusal

    def _refused(self, connection: Connection, dialect: Dialect, refusal: ChatError, answered: bool) -> bytes | None:
        if answered:
            return dialect.refusal(refusal)
        _tell(connection, refusal)
        return None

    def _count_fault(self, connection: Connection) -> None:
        if not self._limits.tolerates_fault(connection.buckets, self._clock.monotonic()):
            connection.hang_up("too many requests that are not valid")


def _tell(connection: Connection, refusal: ChatError) -> None:
    problem = entries.ErrorPush(code=refusal.code, message=refusal.message, retry_after=refusal.retry_after)
    connection.push(push_frame(entries.ERROR, problem))
