"""Fault injection run against several servers of one PostgreSQL database, with Redis as bus."""

import asyncio
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM

from benchmarks.faults.fleet import ClientFleet
from benchmarks.faults.injection import FaultPace, FaultSchedule, RestartableServer
from benchmarks.faults.report import FaultReport
from benchmarks.faults.run import SERVER_FLAGS
from server.cluster.log_follower import POLL_INTERVAL
from server.cluster.node_registry import DEAD_AFTER, HEARTBEAT_INTERVAL
from tests.support.free_port import find_free_port
from tests.support.lossy_redis_proxy import LossyRedisProxy, lossy_redis_proxy
from tests.support.postgresql import PostgreSQLServer, postgresql_server
from tests.support.redis import RedisServer, redis_server
from tests.support.server_process import SERVER_COMMAND
from tests.support.tcp_proxy import TcpProxy, tcp_proxy

CATCH_UP_TIMEOUT = POLL_INTERVAL + 5.0
"""Seconds for readers to receive all entries: the maximum delay of a delivery, and time for a busy machine."""

FENCE_DURATION = DEAD_AFTER + 2 * HEARTBEAT_INTERVAL
"""Duration of a pause after which other servers have removed the paused one, in seconds."""


class ClusterFaultKind(StrEnum):
    """Type of a fault in a cluster."""

    KILL = "servers killed (SIGKILL)"
    FREEZE = "servers paused (SIGSTOP)"
    FENCE = "servers paused until their removal"
    BUS_RESTART = "Redis restarted"
    BUS_LOSS = "bus messages dropped, duplicated, delayed and reordered"
    BUS_STALL = "bus connections stalled"
    BUS_CUT = "bus connections cut towards the servers"
    BUS_ABORT = "bus connections aborted"
    DATABASE_RESTART = "PostgreSQL restarted"


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """Parameters of a run.

    Attributes:
        seed: Seed of all randomness except timing.
        faults: Number of faults by type.
        nodes: Number of servers.
        rooms: Number of rooms.
        writers: Writers per room.
        readers: Readers per room.
        pace: Timing of faults.
        catch_up_timeout: Seconds for readers to receive all entries after the last fault.
        program: Command of the servers.
    """

    seed: int
    faults: Mapping[ClusterFaultKind, int]
    nodes: int = 3
    rooms: int = 2
    writers: int = 6
    readers: int = 3
    pace: FaultPace = field(default_factory=FaultPace)
    catch_up_timeout: float = CATCH_UP_TIMEOUT
    program: Sequence[str] = SERVER_COMMAND


@dataclass(slots=True)
class ClusterFaultInjector:
    """Injector of faults into the servers, their bus and their database.

    Attributes:
        nodes: Servers of the cluster.
        postgresql: Database server.
        redis: Server of the bus.
        bus: Proxy between the servers and `lossy_bus`.
        lossy_bus: Proxy in front of Redis.
        rng: Source of randomness.
        schedule: Sequence of the faults.
        stderr_outputs: Standard error output of each stopped server.
    """

    nodes: Sequence[RestartableServer]
    postgresql: PostgreSQLServer
    redis: RedisServer
    bus: TcpProxy
    lossy_bus: LossyRedisProxy
    rng: random.Random
    schedule: FaultSchedule
    stderr_outputs: list[str] = field(default_factory=list[str])

    async def inject(self, fault: ClusterFaultKind) -> None:
        """Inject one fault; a fault with a duration ends later."""
        match fault:
            case ClusterFaultKind.KILL:
                node = self.rng.choice(self.nodes)
                self.stderr_outputs.append(await node.stop(SIGKILL))
                await node.start()
            case ClusterFaultKind.FREEZE | ClusterFaultKind.FENCE:
                node = self.rng.choice(self.nodes)
                node.send_signal(SIGSTOP)
                self.schedule.end_later(
                    lambda: node.send_signal(SIGCONT), FENCE_DURATION if fault is ClusterFaultKind.FENCE else None
                )
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
            case _:
                self._disturb_bus(fault)

    def _end_loss(self) -> None:
        self.lossy_bus.is_lossy = False

    def _disturb_bus(self, fault: ClusterFaultKind) -> None:
        share = self.rng.choice((0.3, 0.6, 1.0))
        for connection in self.bus.open_connections:
            if self.rng.random() >= share:
                continue
            match fault:
                case ClusterFaultKind.BUS_STALL:
                    connection.stall()
                    self.schedule.end_later(connection.resume)
                case ClusterFaultKind.BUS_CUT:
                    connection.stall_downstream()
                    self.schedule.end_later(connection.resume)
                case _:
                    connection.reset()


async def run_cluster(plan: ClusterPlan) -> FaultReport:
    """Run a plan and return the report; the servers, clients and files of the run are removed.

    Raises:
        ExceptionGroup: The writers did not finish within `COMPLETION_TIMEOUT` after the last fault, or a client failed
            with an unexpected exception.
    """
    start_time = time.monotonic()
    rng = random.Random(plan.seed)
    fleet = ClientFleet([f"room-{number}" for number in range(plan.rooms)])
    schedule = FaultSchedule(rng, plan.pace, lambda: fleet.ack_count)
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="chat-faults-"))
        postgresql = stack.enter_context(postgresql_server())
        redis = stack.enter_context(redis_server(find_free_port()))
        lossy_bus = await stack.enter_async_context(lossy_redis_proxy(redis.port, rng))
        bus = await stack.enter_async_context(tcp_proxy(lossy_bus.port))
        flags = ("--database", postgresql.url, "--bus", f"redis://127.0.0.1:{bus.port}/0", *SERVER_FLAGS)
        nodes = [RestartableServer(Path(directory) / f"node{n}", flags, plan.program) for n in range(plan.nodes)]
        for node in nodes:  # a failed start leaves the other nodes running
            stack.callback(node.send_signal, SIGKILL)
        injector = ClusterFaultInjector(nodes, postgresql, redis, bus, lossy_bus, rng, schedule)
        urls = [f"http://127.0.0.1:{port}" for port in await asyncio.gather(*(node.start() for node in nodes))]
        await fleet.create_rooms(urls[0])
        fleet.add_writers_and_readers(urls, plan.writers, plan.readers, rng)
        try:
            logs = await fleet.run(
                lambda: schedule.run(plan.faults, injector.inject), lambda: urls[0], plan.catch_up_timeout
            )
        finally:
            for node in nodes:
                injector.stderr_outputs.append(await node.stop(SIGTERM))
    return fleet.create_report(
        logs,
        seconds=time.monotonic() - start_time,
        faults=schedule.injected,
        stderr_outputs=injector.stderr_outputs,
    )
