"""One fault injection run against one server: load, faults, recovery and the check of all records."""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM

from benchmarks.faults.fleet import COMPLETION_TIMEOUT, ClientFleet
from benchmarks.faults.injection import FaultInjector, FaultKind, FaultPace, RestartableServer
from benchmarks.faults.interactive_clients import open_page, open_terminal
from benchmarks.faults.report import FaultReport
from tests.support.free_port import reserved_port
from tests.support.server_process import SERVER_COMMAND
from tests.support.tcp_proxy import tcp_proxy

SERVER_FLAGS = (
    *("--rate-limit", "off", "--log-level", "warning"),
    # Short intervals, so that the server detects dead connections during the run.
    *("--ping-interval", "1", "--ping-timeout", "2"),
)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Parameters of a run.

    Attributes:
        seed: Seed of all randomness except timing.
        faults: Number of faults by type.
        rooms: Number of rooms.
        writers: Writers per room.
        readers: Readers per room.
        outbox_clients: Client processes with a shared outbox, all in the first room.
        terminals: Terminals in the first room.
        pages: Browser pages in the first room.
        pace: Timing of faults.
        catch_up_timeout: Seconds for readers to receive all entries after the last fault.
        program: Command of the server.
    """

    seed: int
    faults: Mapping[FaultKind, int]
    rooms: int = 2
    writers: int = 6
    readers: int = 3
    outbox_clients: int = 0
    terminals: int = 0
    pages: int = 0
    pace: FaultPace = field(default_factory=FaultPace)
    catch_up_timeout: float = COMPLETION_TIMEOUT
    program: Sequence[str] = SERVER_COMMAND


async def run(plan: FaultPlan) -> FaultReport:
    """Run a fault plan and return the report; the servers, clients and files of the run are removed.

    Raises:
        ExceptionGroup: The writers did not finish within `COMPLETION_TIMEOUT` after the last fault, or a client failed
            with an unexpected exception.
    """
    start_time = time.monotonic()
    rng = random.Random(plan.seed)
    fleet = ClientFleet([f"room-{number}" for number in range(plan.rooms)])
    with tempfile.TemporaryDirectory(prefix="chat-faults-") as directory, reserved_port() as port:
        database = Path(directory) / "chat.db"
        server = RestartableServer(Path(directory), port, ("--database", str(database), *SERVER_FLAGS), plan.program)
        await server.start()
        async with tcp_proxy(port) as proxy, tcp_proxy(port) as outbox_proxy, AsyncExitStack() as stack:
            fleet.add_writers_and_readers([proxy.url], plan.writers, plan.readers, rng)
            fleet.add_outbox_clients(plan.outbox_clients, outbox_proxy, Path(directory))
            terminals = [
                open_terminal(proxy.url, fleet.rooms[0], number, Path(directory)) for number in range(plan.terminals)
            ]
            pages = [open_page(proxy.url, fleet.rooms[0], number) for number in range(plan.pages)]
            for client in (*terminals, *pages):
                fleet.interactive_clients.append(await stack.enter_async_context(client))
            injector = FaultInjector(
                server,
                proxy,
                rng,
                plan.pace,
                count_acks=lambda: fleet.ack_count,
                kill_client=fleet.kill_outbox_client,
            )
            try:
                logs = await fleet.run(
                    lambda: injector.run(plan.faults), lambda: server.process.url, plan.catch_up_timeout
                )
            finally:
                await fleet.stop_outbox_clients()
                injector.stderr_outputs.append(await server.stop(SIGTERM))
            corruption = await asyncio.to_thread(_check_integrity, database)
    return fleet.create_report(
        logs,
        seconds=time.monotonic() - start_time,
        faults=injector.injected,
        stderr_outputs=injector.stderr_outputs,
        recovery_times=injector.recovery_times,
        corruption=corruption,
    )


def _check_integrity(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        (result,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return "" if result == "ok" else result
