"""Clients of a fault run: writers, readers and clients with an outbox; their start, completion and records."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.faults.checker import Violation, extract_marker, find_violations
from benchmarks.faults.interactive_clients import InteractiveClient
from benchmarks.faults.outbox_client_process import OutboxClientProcess
from benchmarks.faults.report import FaultReport
from benchmarks.faults.simulated_clients import SimulatedReader, SimulatedWriter
from tests.support.raw_client import RawClient, raw_client
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import wait_until
from tui_chat.client.events import Offline
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import Entry, Message
from tui_chat.protocol.limits import HISTORY_PAGE
from tui_chat.protocol.responses import HistoryPage

COMPLETION_TIMEOUT = 120.0
"""Seconds for the completion of all requests after the last fault."""

_RETRY_DELAY = 0.2  # seconds


@dataclass(slots=True)
class ClientFleet:
    """All clients of a run, and the number of acknowledgements to writers.

    Attributes:
        rooms: Names of the rooms.
        writers: Writers of all rooms.
        readers: Readers of all rooms.
        outbox_clients: Client processes with an outbox, all in the first room.
        interactive_clients: Users of terminals and pages, all in the first room.
        ack_count: Number of acknowledgements since the start.
        recovered_at: Time of the end of the last fault in seconds.
    """

    rooms: Sequence[str]
    writers: list[SimulatedWriter] = field(default_factory=list[SimulatedWriter])
    readers: list[SimulatedReader] = field(default_factory=list[SimulatedReader])
    outbox_clients: list[OutboxClientProcess] = field(default_factory=list[OutboxClientProcess])
    interactive_clients: list[InteractiveClient] = field(default_factory=list[InteractiveClient])
    ack_count: int = 0
    recovered_at: float = 0.0

    def add_writers_and_readers(self, urls: Sequence[str], writers: int, readers: int, rng: random.Random) -> None:
        """Add the writers and readers of each room, which use the servers at `urls` in turn.

        All writers of a room request the same nickname, and so do all readers.
        """
        for room in self.rooms:
            self.readers += [
                SimulatedReader(urls[number % len(urls)], room, f"{room}-reader{number}", nick="reader")
                for number in range(readers)
            ]
            for number in range(writers):
                name, seed = f"{room}-writer{number}", rng.getrandbits(64)
                url = urls[number % len(urls)]
                self.writers.append(SimulatedWriter(url, room, name, seed, self._count_ack, nick="writer"))

    def add_outbox_clients(self, count: int, proxy: TcpProxy, directory: Path) -> None:
        """Add clients of the first room with a common outbox in `directory`."""
        room = self.rooms[0]
        self.outbox_clients += [
            OutboxClientProcess(proxy, room, f"{room}-outbox{number}", directory) for number in range(count)
        ]

    async def create_rooms(self, url: str) -> None:
        """Store the rooms with a topic.

        A crash of PostgreSQL removes the log id of a room that is not stored, so its readers would reload.
        """
        async with raw_client(url) as client:
            for room in self.rooms:
                await client.join(room, "founder")
                response = await client.request("setTopic", {"room": room, "topic": "faults"})
                assert response["ok"], response

    async def kill_outbox_client(self, rng: random.Random) -> None:
        """Kill one client with a full outbox, and start it again."""
        await rng.choice(self.outbox_clients).write_and_kill(rng)

    async def run(
        self,
        inject_faults: Callable[[], Awaitable[None]],
        get_url: Callable[[], str],
        catch_up_timeout: float,
        *,
        audit: Callable[[], Awaitable[None]] | None = None,
    ) -> dict[str, list[Entry]]:
        """Run the clients and the faults, wait for recovery, and return the final log of each room.

        Args:
            inject_faults: Injects all faults; returns after their end.
            get_url: Returns the URL of a running server after the faults.
            catch_up_timeout: Seconds for readers to receive all entries; the checker reports missing ones.
            audit: Called after the end of the writers, while the readers are connected.

        Raises:
            ExceptionGroup: The writers did not finish within `COMPLETION_TIMEOUT` after the last fault, or a client
                failed with an unexpected exception.
        """
        async with asyncio.TaskGroup() as group:
            reader_tasks = [group.create_task(reader.run()) for reader in self.readers]
            for reader in self.readers:
                await reader.joined.wait()
            for outbox_client in self.outbox_clients:
                await outbox_client.start()
            writing_clients = (*self.writers, *self.interactive_clients)
            writer_tasks = [group.create_task(client.run()) for client in writing_clients]
            retry_task = group.create_task(self._retry_offline_clients())
            await inject_faults()
            self.recovered_at = time.monotonic()
            for client in writing_clients:
                client.stop()
            async with asyncio.timeout(COMPLETION_TIMEOUT):
                await asyncio.gather(*writer_tasks)
            with suppress(TimeoutError):
                await self._wait_for_delivery(catch_up_timeout)
            await self.stop_outbox_clients()
            if audit is not None:
                await audit()
            logs = {room: await _fetch_log(get_url(), room) for room in self.rooms}
            with suppress(TimeoutError):
                await wait_until(
                    lambda: all(reader.last_seq >= _last_seq(logs[reader.record.room]) for reader in self.readers),
                    catch_up_timeout,
                )
            for client in self.interactive_clients:
                await client.compare(logs[client.room], catch_up_timeout)
            for reader in self.readers:
                await reader.finalize()
            for task in (*reader_tasks, retry_task):
                task.cancel()
        return logs

    async def stop_outbox_clients(self) -> None:
        """Kill the processes of all clients with an outbox."""
        for outbox_client in self.outbox_clients:
            await outbox_client.stop()

    def create_report(
        self,
        logs: dict[str, list[Entry]],
        *,
        seconds: float,
        faults: Counter[str],
        stderr_outputs: Sequence[str],
        recovery_times: Sequence[float] = (),
        corruption: str | None = None,
        violations: Sequence[Violation] = (),
    ) -> FaultReport:
        """Compare the records of all clients with the logs; see `FaultReport` for the arguments."""
        sent = [message for writer in self.writers for message in writer.sent]
        outbox_sent = [message for client in self.outbox_clients for message in client.sent]
        typed = [message for client in self.interactive_clients for message in client.sent]
        display_violations = [violation for client in self.interactive_clients for violation in client.violations]
        records = [reader.record for reader in self.readers]
        logged_markers = {
            extract_marker(entry.message) for log in logs.values() for entry in log if isinstance(entry, Message)
        }
        return FaultReport(
            sent=len(sent),
            acknowledged=sum(bool(message.acks) for message in sent),
            persisted=sum(message.is_persisted for message in outbox_sent),
            delivered=sum(message.is_persisted and message.marker in logged_markers for message in outbox_sent),
            duplicate_acks=sum(writer.duplicate_acks for writer in self.writers),
            typed=len(typed),
            displayed=sum(len(client.displayed) for client in self.interactive_clients),
            log_entries=sum(map(len, logs.values())),
            read_entries=sum(len(record.entries) for record in records),
            seconds=seconds,
            faults=faults,
            recovery_times=sorted(recovery_times),
            error_counts=sum((writer.error_counts for writer in self.writers), Counter[str]()),
            stderr_lines=[line for output in stderr_outputs for line in output.splitlines()],
            corruption=corruption,
            violations=[
                *find_violations(logs, [*sent, *outbox_sent, *typed], records),
                *display_violations,
                *violations,
            ],
        )

    def _count_ack(self) -> None:
        self.ack_count += 1

    async def _wait_for_delivery(self, timeout: float) -> None:
        """Wait until the first reader has received all persisted messages of outbox and interactive clients.

        Raises:
            TimeoutError: A message is missing after `timeout` seconds.
        """
        reader, checked_count = self.readers[0], 0
        clients = (*self.outbox_clients, *self.interactive_clients)
        missing = {message.marker for client in clients for message in client.sent if message.is_persisted}

        def is_complete() -> bool:
            nonlocal checked_count
            new_entries = reader.record.entries[checked_count:]
            checked_count += len(new_entries)
            missing.difference_update(
                extract_marker(entry.message) for entry in new_entries if isinstance(entry, Message)
            )
            return not missing

        await wait_until(is_complete, timeout)

    async def _retry_offline_clients(self) -> None:
        """Trigger reconnects of offline clients, whose backoff would reach 15 seconds after this many failures."""
        while True:
            for simulated in (*self.readers, *self.writers):
                if simulated.client is not None and isinstance(simulated.client.state, Offline):
                    simulated.client.reconnect_now()
            await asyncio.sleep(_RETRY_DELAY)


async def _fetch_log(url: str, room: str) -> list[Entry]:
    """Return the complete log of a room, read over a raw connection.

    The first read after a restart of PostgreSQL may fail, because the connections of the server are lost.
    """
    entries: list[Entry] = []
    async with raw_client(url) as client:
        await request_until_available(client, "joinRoom", {"roomName": room, "nickName": "auditor", "limit": 1})
        while True:
            after = entries[-1].seq if entries else 0
            request = {"room": room, "after": after, "limit": HISTORY_PAGE}
            page = msgspec.convert(await request_until_available(client, "history", request), HistoryPage)
            entries += page.messages
            if not page.has_more:
                return entries


async def request_until_available(client: RawClient, event: str, request: dict[str, Any]) -> dict[str, Any]:
    """Send a request, again after `unavailable` responses, and return the response."""
    async with asyncio.timeout(COMPLETION_TIMEOUT):
        while not (response := await client.request(event, request))["ok"]:
            assert response["error"]["code"] == Unavailable.code, response
            await asyncio.sleep(_RETRY_DELAY)
        return response


def _last_seq(log: Sequence[Entry]) -> int:
    return log[-1].seq if log else 0
