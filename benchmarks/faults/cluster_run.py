"""Fault injection run against several servers of one PostgreSQL database, with Redis as bus."""

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM

from benchmarks.faults.checker import Violation, find_late_deliveries
from benchmarks.faults.cluster_audit import audit_members
from benchmarks.faults.cluster_faults import ClusterFaultInjector, ClusterFaultKind, ClusterNode
from benchmarks.faults.fleet import ClientFleet
from benchmarks.faults.injection import FaultPace, FaultSchedule, RestartableServer
from benchmarks.faults.report import FaultReport
from benchmarks.faults.run import SERVER_FLAGS
from benchmarks.faults.simulated_clients import ban_writer
from server.cluster.log_follower import POLL_INTERVAL
from tests.support.free_port import reserved_port
from tests.support.lossy_redis_proxy import lossy_redis_proxy
from tests.support.postgresql import postgresql_server
from tests.support.redis import redis_server
from tests.support.server_process import SERVER_COMMAND, run_server
from tests.support.tcp_proxy import tcp_proxy

CATCH_UP_TIMEOUT = POLL_INTERVAL + 5.0
"""Seconds for readers to receive all entries: the maximum delay of a delivery, and time for a busy machine."""


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
        catch_up_timeout: Seconds for readers to receive all entries and members after the last fault.
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
    violations: list[Violation] = []
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chat-faults-")))
        postgresql = stack.enter_context(postgresql_server(stack.enter_context(reserved_port())))
        redis = stack.enter_context(redis_server(stack.enter_context(reserved_port())))
        lossy_bus = await stack.enter_async_context(lossy_redis_proxy(redis.port, rng))
        token = await _create_moderator(directory / "operator", postgresql.url)
        nodes = [
            await _create_node(stack, directory / f"node{number}", postgresql.port, lossy_bus.port, plan.program)
            for number in range(plan.nodes)
        ]
        await asyncio.gather(*(node.server.start() for node in nodes))
        urls = [node.server.process.url for node in nodes]
        injector = ClusterFaultInjector(
            nodes,
            postgresql,
            redis,
            lossy_bus,
            lambda: ban_writer(rng.choice(urls), token, rng.choice(fleet.writers)),
            rng,
            schedule,
        )
        await fleet.create_rooms(urls[0])
        fleet.add_writers_and_readers(urls, plan.writers, plan.readers, rng)

        async def audit() -> None:
            for room in fleet.rooms:
                violations.extend(await audit_members(urls, room, plan.readers, plan.catch_up_timeout))

        try:
            logs = await fleet.run(
                lambda: schedule.run(plan.faults, injector.inject), lambda: urls[0], plan.catch_up_timeout, audit=audit
            )
        finally:
            for node in nodes:
                injector.stderr_outputs.append(await node.server.stop(SIGTERM))
    sent = [message for writer in fleet.writers for message in writer.sent]
    records = [reader.record for reader in fleet.readers]
    violations += find_late_deliveries(sent, records, fleet.recovered_at, plan.catch_up_timeout)
    return fleet.create_report(
        logs,
        seconds=time.monotonic() - start_time,
        faults=schedule.injected,
        stderr_outputs=injector.stderr_outputs,
        violations=violations,
    )


async def _create_moderator(home: Path, database: str) -> str:
    """Create an account that may ban writers, and return its token."""
    command = ("account", "add", "moderator", "--role", "admin", "--bot", "--json", "--database", database)
    code, output, errors = await run_server(home, *command)
    assert code == 0, errors
    return json.loads(output)["token"]


async def _create_node(
    stack: AsyncExitStack, home: Path, database_port: int, bus_port: int, program: Sequence[str]
) -> ClusterNode:
    """Return a server that is not started, with its links; the end of `stack` kills it."""
    database_link = await stack.enter_async_context(tcp_proxy(database_port))
    bus_link = await stack.enter_async_context(tcp_proxy(bus_port))
    flags = (
        *("--database", f"postgresql://chat@127.0.0.1:{database_link.port}/postgres"),
        *("--bus", f"redis://127.0.0.1:{bus_link.port}/0"),
    )
    port = stack.enter_context(reserved_port())
    server = RestartableServer(home, port, (*flags, *SERVER_FLAGS), program)
    stack.callback(server.send_signal, SIGKILL)  # a failed start leaves the other servers running
    return ClusterNode(server, database_link, bus_link)
