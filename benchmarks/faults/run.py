"""One fault injection run: load, faults, recovery and the check of all records."""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM

import msgspec

from benchmarks.faults.checker import Violation, extract_marker, find_violations
from benchmarks.faults.injection import FaultInjector, FaultKind, FaultPace, RestartableServer
from benchmarks.faults.outbox_client_process import OutboxClientProcess
from benchmarks.faults.simulated_clients import SimulatedReader, SimulatedWriter
from tests.support.raw_client import raw_client
from tests.support.server_process import SERVER_COMMAND
from tests.support.tcp_proxy import TcpProxy, tcp_proxy
from tests.support.wait import wait_until
from tui_chat.client.events import Offline
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import Entry, Message
from tui_chat.protocol.limits import HISTORY_PAGE
from tui_chat.protocol.responses import HistoryPage

SERVER_FLAGS = (
    *("--rate-limit", "off", "--log-level", "warning"),
    # Short intervals, so that the server detects dead connections during the run.
    *("--ping-interval", "1", "--ping-timeout", "2"),
)
COMPLETION_TIMEOUT = 120.0
"""Seconds for the completion of all requests after the last fault."""


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
    pace: FaultPace = field(default_factory=FaultPace)
    catch_up_timeout: float = COMPLETION_TIMEOUT
    program: Sequence[str] = SERVER_COMMAND


@dataclass(slots=True)
class FaultReport:
    """Results of a run.

    Attributes:
        sent: Messages sent by writers.
        acknowledged: Messages with at least one acknowledgement.
        persisted: Messages in the outboxes of client processes.
        delivered: Persisted messages in the log.
        duplicate_acks: Acknowledgements of repeated messages with `duplicate`.
        log_entries: Entries in the logs of all rooms, including edits and reactions.
        read_entries: Entries delivered to readers.
        seconds: Duration of the run.
        faults: Number of injected faults by type.
        recovery_times: Recovery times of all kills in seconds, ascending.
        error_counts: Failed attempts by error code; `unavailable` is expected during faults.
        stderr_lines: Standard error output of all server processes.
        corruption: Result of SQLite's integrity check; empty if the file is intact.
        violations: Violations found by the checker.
    """

    sent: int
    acknowledged: int
    persisted: int
    delivered: int
    duplicate_acks: int
    log_entries: int
    read_entries: int
    seconds: float
    faults: Counter[FaultKind]
    recovery_times: list[float]
    error_counts: Counter[str]
    stderr_lines: list[str]
    corruption: str
    violations: list[Violation] = field(default_factory=list[Violation])

    @property
    def is_flawless(self) -> bool:
        """Absence of violations, corruption and errors other than `unavailable`."""
        return not self.violations and not self.corruption and self.error_counts.keys() <= {Unavailable.code}


async def run(plan: FaultPlan) -> FaultReport:
    """Run a fault plan and return the report; the servers, clients and files of the run are removed.

    Raises:
        ExceptionGroup: The writers did not finish within `COMPLETION_TIMEOUT` after the last fault, or a client failed
            with an unexpected exception.
    """
    start_time = time.monotonic()
    rng = random.Random(plan.seed)
    clients = _ClientFleet()
    with tempfile.TemporaryDirectory(prefix="chat-faults-") as directory:
        server = RestartableServer(Path(directory), SERVER_FLAGS, plan.program)
        port = await server.start()
        async with tcp_proxy(port) as proxy, tcp_proxy(port) as outbox_proxy:
            clients.add_writers_and_readers(plan, proxy.url, rng)
            clients.add_outbox_clients(plan, outbox_proxy, Path(directory))
            injector = FaultInjector(
                server,
                proxy,
                rng,
                plan.pace,
                count_acks=lambda: clients.ack_count,
                kill_client=clients.kill_outbox_client,
            )
            try:
                logs = await _run_clients(plan, server, injector, clients)
            finally:
                for outbox_client in clients.outbox_clients:
                    await outbox_client.stop()
                injector.stderr_outputs.append(await server.stop(SIGTERM))
            corruption = await asyncio.to_thread(_check_integrity, server.database)
    sent = [message for writer in clients.writers for message in writer.sent]
    outbox_sent = [message for outbox_client in clients.outbox_clients for message in outbox_client.sent]
    records = [reader.record for reader in clients.readers]
    logged_markers = {
        extract_marker(entry.message) for log in logs.values() for entry in log if isinstance(entry, Message)
    }
    return FaultReport(
        sent=len(sent),
        acknowledged=sum(bool(message.acks) for message in sent),
        persisted=sum(message.is_persisted for message in outbox_sent),
        delivered=sum(message.is_persisted and message.marker in logged_markers for message in outbox_sent),
        duplicate_acks=sum(writer.duplicate_acks for writer in clients.writers),
        log_entries=sum(map(len, logs.values())),
        read_entries=sum(len(record.entries) for record in records),
        seconds=time.monotonic() - start_time,
        faults=injector.injected,
        recovery_times=sorted(injector.recovery_times),
        error_counts=sum((writer.error_counts for writer in clients.writers), Counter[str]()),
        stderr_lines=[line for output in injector.stderr_outputs for line in output.splitlines()],
        corruption=corruption,
        violations=find_violations(logs, [*sent, *outbox_sent], records),
    )


@dataclass(slots=True)
class _ClientFleet:
    """All clients of a run, and the number of acknowledgements to writers."""

    writers: list[SimulatedWriter] = field(default_factory=list[SimulatedWriter])
    readers: list[SimulatedReader] = field(default_factory=list[SimulatedReader])
    outbox_clients: list[OutboxClientProcess] = field(default_factory=list[OutboxClientProcess])
    ack_count: int = 0

    def add_writers_and_readers(self, plan: FaultPlan, url: str, rng: random.Random) -> None:
        for room in _room_names(plan):
            self.readers += [SimulatedReader(url, room, f"{room}-reader{n}") for n in range(plan.readers)]
            for number in range(plan.writers):
                name, seed = f"{room}-writer{number}", rng.getrandbits(64)
                self.writers.append(SimulatedWriter(url, room, name, seed, self._count_ack))

    def add_outbox_clients(self, plan: FaultPlan, proxy: TcpProxy, directory: Path) -> None:
        room = _room_names(plan)[0]
        self.outbox_clients += [
            OutboxClientProcess(proxy, room, f"{room}-outbox{n}", directory) for n in range(plan.outbox_clients)
        ]

    async def kill_outbox_client(self, rng: random.Random) -> None:
        await rng.choice(self.outbox_clients).write_and_kill(rng)

    def _count_ack(self) -> None:
        self.ack_count += 1


def _room_names(plan: FaultPlan) -> list[str]:
    return [f"room-{number}" for number in range(plan.rooms)]


async def _run_clients(
    plan: FaultPlan, server: RestartableServer, injector: FaultInjector, clients: _ClientFleet
) -> dict[str, list[Entry]]:
    """Run the clients and the faults, wait for recovery, and return the final log of each room."""
    async with asyncio.TaskGroup() as group:
        reader_tasks = [group.create_task(reader.run()) for reader in clients.readers]
        for reader in clients.readers:
            await reader.joined.wait()
        for outbox_client in clients.outbox_clients:
            await outbox_client.start()
        writer_tasks = [group.create_task(writer.run()) for writer in clients.writers]
        retry_task = group.create_task(_retry_offline_clients(clients))
        await injector.run(plan.faults)
        for writer in clients.writers:
            writer.stop()
        async with asyncio.timeout(COMPLETION_TIMEOUT):
            await asyncio.gather(*writer_tasks)
        with suppress(TimeoutError):  # the checker reports missing entries
            await _wait_for_delivery(clients.outbox_clients, clients.readers[0], plan.catch_up_timeout)
        for outbox_client in clients.outbox_clients:
            await outbox_client.stop()
        logs = {room: await _fetch_log(server.process.url, room) for room in _room_names(plan)}
        with suppress(TimeoutError):
            await wait_until(
                lambda: all(reader.last_seq >= _last_seq(logs[reader.record.room]) for reader in clients.readers),
                plan.catch_up_timeout,
            )
        for reader in clients.readers:
            await reader.finalize()
        for task in (*reader_tasks, retry_task):
            task.cancel()
    return logs


async def _wait_for_delivery(
    outbox_clients: Sequence[OutboxClientProcess], reader: SimulatedReader, timeout: float
) -> None:
    """Wait until the reader has received all persisted messages of the outbox clients."""
    missing = {message.marker for client in outbox_clients for message in client.sent if message.is_persisted}
    checked_count = 0

    def is_complete() -> bool:
        nonlocal checked_count
        new_entries = reader.record.entries[checked_count:]
        checked_count += len(new_entries)
        missing.difference_update(extract_marker(entry.message) for entry in new_entries if isinstance(entry, Message))
        return not missing

    await wait_until(is_complete, timeout)


async def _retry_offline_clients(clients: _ClientFleet) -> None:
    """Trigger reconnects of offline clients, whose backoff would reach 15 seconds after this many failures."""
    while True:
        for simulated in (*clients.readers, *clients.writers):
            if simulated.client is not None and isinstance(simulated.client.state, Offline):
                simulated.client.reconnect_now()
        await asyncio.sleep(0.2)


async def _fetch_log(url: str, room: str) -> list[Entry]:
    """Return the complete log of a room, read over a raw connection."""
    entries: list[Entry] = []
    async with raw_client(url) as client:
        await client.join(room, "auditor", limit=1)
        while True:
            after = entries[-1].seq if entries else 0
            response = await client.request("history", {"room": room, "after": after, "limit": HISTORY_PAGE})
            page = msgspec.convert(response, HistoryPage)
            entries += page.messages
            if not page.has_more:
                return entries


def _last_seq(log: Sequence[Entry]) -> int:
    return log[-1].seq if log else 0


def _check_integrity(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        (result,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return "" if result == "ok" else result
