"""Injection of faults into several servers, the links between them, their bus and their database."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals

from benchmarks.faults.injection import FaultSchedule, RestartableServer
from server.cluster.node_registry import DEAD_AFTER, HEARTBEAT_INTERVAL
from tests.support.lossy_redis_proxy import LossyRedisProxy
from tests.support.postgresql import PostgreSQLServer
from tests.support.redis import RedisServer
from tests.support.tcp_proxy import TcpProxy

FENCE_DURATION = DEAD_AFTER + 2 * HEARTBEAT_INTERVAL
"""Duration of a pause after which other servers have removed the paused one, in seconds."""

CLOCK_OFFSET = 600_000
"""Difference of a wrong clock, in milliseconds."""

_MAX_PAUSE_IN_TRANSACTION = 6.0  # seconds; the database ends an idle transaction after 3
_TRANSACTION_TIMEOUT = 10.0  # seconds until a server without transactions gets the signal anyway
_MAX_STATEMENTS = 5  # of the interrupted transaction before the signal
_START_ATTEMPTS = 10
_BEGIN, _COMMIT = b"BEGIN", (b"COMMIT", b"ROLLBACK")

_SKEWED_CLOCK_PROGRAM = ("-m", "tests.support.skewed_clock_server")
_FIXED_ID_PROGRAM = ("-m", "tests.support.fixed_node_id_server")


class ClusterFaultKind(StrEnum):
    """Type of a fault in a cluster."""

    KILL = "servers killed (SIGKILL)"
    TRANSACTION_KILL = "servers killed inside a transaction"
    FREEZE = "servers paused (SIGSTOP)"
    TRANSACTION_FREEZE = "servers paused inside a transaction"
    FENCE = "servers paused until their removal"
    CLOCK_SKEW = "servers restarted with a clock ten minutes fast or slow"
    SAME_ID = "pairs of servers started with the same id"
    BUS_RESTART = "Redis restarted without its data"
    BUS_LOSS = "bus messages dropped, duplicated, delayed and reordered"
    BUS_CUT = "links to Redis cut in both directions"
    BUS_SEND_CUT = "links to Redis cut towards Redis"
    BUS_RECEIVE_CUT = "links to Redis cut towards the server"
    BUS_ABORT = "connections to Redis aborted"
    DATABASE_RESTART = "PostgreSQL restarted"
    DATABASE_CUT = "links to PostgreSQL cut in both directions"
    DATABASE_SEND_CUT = "links to PostgreSQL cut towards PostgreSQL"
    DATABASE_RECEIVE_CUT = "links to PostgreSQL cut towards the server"
    DATABASE_ABORT = "connections to PostgreSQL aborted"
    BAN = "writers banned"


_SIGNALS: Mapping[ClusterFaultKind, Signals] = {
    ClusterFaultKind.TRANSACTION_KILL: SIGKILL,
    ClusterFaultKind.TRANSACTION_FREEZE: SIGSTOP,
}

_CUTS: Mapping[ClusterFaultKind, tuple[bool, bool]] = {
    ClusterFaultKind.BUS_CUT: (True, True),
    ClusterFaultKind.BUS_SEND_CUT: (True, False),
    ClusterFaultKind.BUS_RECEIVE_CUT: (False, True),
    ClusterFaultKind.DATABASE_CUT: (True, True),
    ClusterFaultKind.DATABASE_SEND_CUT: (True, False),
    ClusterFaultKind.DATABASE_RECEIVE_CUT: (False, True),
}
"""Directions of cut links: from the server, and to the server."""

_BUS_LINK_FAULTS = frozenset(
    {
        ClusterFaultKind.BUS_CUT,
        ClusterFaultKind.BUS_SEND_CUT,
        ClusterFaultKind.BUS_RECEIVE_CUT,
        ClusterFaultKind.BUS_ABORT,
    }
)


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """Server with its links.

    Attributes:
        server: Process of the server.
        database_link: Proxy in front of PostgreSQL.
        bus_link: Proxy in front of Redis.
    """

    server: RestartableServer
    database_link: TcpProxy
    bus_link: TcpProxy

    async def interrupt_transaction(self, signal_number: Signals, statements: int, *, is_delivered: bool) -> None:
        """Send a signal to the server between two statements of a transaction.

        Without a transaction within ten seconds, the server receives the signal outside of one.

        Args:
            signal_number: Signal.
            statements: Number of requests of the transaction that the database receives before the signal.
            is_delivered: The database receives the next request too, which may be the commit.
        """
        sent = asyncio.Event()
        count: int | None = None  # requests since the start of a transaction

        def on_request(data: bytes) -> bool:
            nonlocal count
            if sent.is_set():
                return True
            if _BEGIN in data:
                count = 0
            if count is None:
                return True
            if count < statements and not any(end in data for end in _COMMIT):
                count += 1
                return True
            self.server.send_signal(signal_number)
            sent.set()
            return is_delivered

        self.database_link.on_request = on_request
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TRANSACTION_TIMEOUT):
                    await sent.wait()
            if not sent.is_set():
                self.server.send_signal(signal_number)
        finally:
            self.database_link.on_request = lambda _data: True


@dataclass(slots=True)
class ClusterFaultInjector:
    """Injector of faults into a cluster.

    Attributes:
        nodes: Servers of the cluster.
        postgresql: Database server.
        redis: Server of the bus.
        lossy_bus: Proxy between the links and Redis.
        ban_writer: Bans one writer.
        rng: Source of randomness.
        schedule: Sequence of the faults.
        stderr_outputs: Standard error output of each stopped server, and errors of failed starts.
    """

    nodes: Sequence[ClusterNode]
    postgresql: PostgreSQLServer
    redis: RedisServer
    lossy_bus: LossyRedisProxy
    ban_writer: Callable[[], Awaitable[None]]
    rng: random.Random
    schedule: FaultSchedule
    stderr_outputs: list[str] = field(default_factory=list[str])

    async def inject(self, fault: ClusterFaultKind) -> None:
        """Inject one fault; a fault with a duration ends later."""
        node = self.rng.choice(self.nodes)
        match fault:
            case ClusterFaultKind.KILL:
                await self._restart(node)
            case ClusterFaultKind.CLOCK_SKEW:
                offset = self.rng.choice((-CLOCK_OFFSET, CLOCK_OFFSET))
                await self._restart(node, SIGTERM, program=_SKEWED_CLOCK_PROGRAM, CLOCK_OFFSET=str(offset))
            case ClusterFaultKind.SAME_ID:
                for copy in self.rng.sample(self.nodes, 2):
                    await self._restart(copy, program=_FIXED_ID_PROGRAM)
            case ClusterFaultKind.FREEZE | ClusterFaultKind.FENCE:
                node.server.send_signal(SIGSTOP)
                self._continue_later(node, FENCE_DURATION if fault is ClusterFaultKind.FENCE else None)
            case ClusterFaultKind.TRANSACTION_KILL | ClusterFaultKind.TRANSACTION_FREEZE:
                await self._interrupt_transaction(node, _SIGNALS[fault])
            case ClusterFaultKind.BUS_RESTART:
                await asyncio.to_thread(self.redis.stop)
                await asyncio.sleep(self.schedule.draw_duration())
                await asyncio.to_thread(self.redis.start)
            case ClusterFaultKind.DATABASE_RESTART:
                await asyncio.to_thread(self.postgresql.stop)
                await asyncio.to_thread(self.postgresql.start)
            case ClusterFaultKind.BUS_LOSS:
                self.lossy_bus.is_lossy = True
                self.schedule.end_later(self._end_loss)
            case ClusterFaultKind.BAN:
                await self.ban_writer()
            case _:
                self._disturb_link(fault, node)

    async def _restart(
        self,
        node: ClusterNode,
        signal_number: Signals = SIGKILL,
        *,
        program: Sequence[str] | None = None,
        **variables: str,
    ) -> None:
        """Restart a server, several times if its start fails because of another fault."""
        self.stderr_outputs.append(await node.server.stop(signal_number))
        for _ in range(_START_ATTEMPTS - 1):
            try:
                await node.server.start(program, **variables)
                return
            except AssertionError as error:
                self.stderr_outputs.append(str(error))
        await node.server.start(program, **variables)

    def _continue_later(self, node: ClusterNode, duration: float | None) -> None:
        self.schedule.end_later(lambda: node.server.send_signal(SIGCONT), duration)

    async def _interrupt_transaction(self, node: ClusterNode, signal_number: Signals) -> None:
        """Kill or pause a server inside a transaction; a killed server starts again."""
        is_delivered = (
            signal_number is not SIGKILL or self.rng.random() < 0.5
        )  # TCP loses no data of an open connection
        await node.interrupt_transaction(signal_number, self.rng.randint(1, _MAX_STATEMENTS), is_delivered=is_delivered)
        if signal_number is SIGKILL:
            await self._restart(node)
        else:
            self._continue_later(node, self.rng.uniform(0.05, _MAX_PAUSE_IN_TRANSACTION))

    def _end_loss(self) -> None:
        self.lossy_bus.is_lossy = False

    def _disturb_link(self, fault: ClusterFaultKind, node: ClusterNode) -> None:
        """Abort the connections of a link, or cut the link for a random duration."""
        link = node.bus_link if fault in _BUS_LINK_FAULTS else node.database_link
        if fault not in _CUTS:
            link.reset_all()
            return
        is_sending_cut, is_receiving_cut = _CUTS[fault]
        link.stall(towards_server=is_sending_cut, towards_client=is_receiving_cut)
        self.schedule.end_later(link.resume, self.schedule.draw_cut_duration())
