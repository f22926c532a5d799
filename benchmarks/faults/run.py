"""One run: people talk, everything breaks, all is healed, and then everybody is asked what they know."""

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

from benchmarks.faults.checker import Finding, check
from benchmarks.faults.injection import Injector, Kind, Pace, Server
from benchmarks.faults.people import Reader, Writer
from server.protocol.answers import Page
from server.protocol.entries import Entry
from server.protocol.errors import Unavailable
from server.protocol.limits import HISTORY_PAGE
from tests.support.eventually import eventually
from tests.support.raw_client import raw_client
from tests.support.server_process import COMMAND
from tests.support.tcp_proxy import tcp_proxy
from tui_chat.client.events import Offline

FLAGS = (
    *("--rate-limit", "off", "--log-level", "warning"),
    # Short, so that what has gone silent is noticed within the time of a run.
    *("--ping-interval", "1", "--ping-timeout", "2"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of.

    Attributes:
        seed: Of everything that is left to chance, but for what the machine does.
        faults: How often which.
        rooms: Each has the same number of writers and readers.
        settling: Seconds that everybody may take, once nothing breaks any more, to be complete.
        program: The server to run; by default the command.
    """

    seed: int
    faults: Mapping[Kind, int]
    rooms: int = 2
    writers: int = 6
    readers: int = 3
    pace: Pace = field(default_factory=Pace)
    settling: float = 120.0
    program: Sequence[str] = COMMAND


@dataclass(slots=True)
class Report:
    """What came of it.

    Attributes:
        said: Messages sent.
        repeats: Acknowledgements of messages that were on disk already when they were repeated.
        entries: In the logs of all rooms, edits and reactions among them.
        given: Entries given to readers.
        recoveries: Seconds from each kill to the next acknowledgement.
        refusals: What ended attempts, by code; `unavailable` is what breaks bring with them.
        words: Lines that servers wrote to standard error.
        damage: What SQLite finds wrong in the file; empty when nothing.
        findings: Breaches of the checker's rules.
    """

    said: int
    acknowledged: int
    repeats: int
    entries: int
    given: int
    seconds: float
    faults: Counter[Kind]
    recoveries: list[float]
    refusals: Counter[str]
    words: list[str]
    damage: str
    findings: list[Finding] = field(default_factory=list[Finding])

    @property
    def flawless(self) -> bool:
        """Every promise was kept, and nothing was refused but for want of a server."""
        return not self.findings and not self.damage and self.refusals.keys() <= {Unavailable.code}


async def run(plan: Plan) -> Report:
    """Carry the plan out.

    Raises:
        ExceptionGroup: The writers were not done in time, once everything was healed.
    """
    began = time.monotonic()
    chance = random.Random(plan.seed)
    rooms = [f"room-{number}" for number in range(plan.rooms)]
    answers = 0

    def answered() -> None:
        nonlocal answers
        answers += 1

    with tempfile.TemporaryDirectory(prefix="chat-faults-") as folder:
        server = Server(Path(folder), FLAGS, plan.program)
        async with tcp_proxy(await server.start()) as proxy:
            injector = Injector(server, proxy, random.Random(plan.seed), plan.pace, lambda: answers)
            readers = [Reader(proxy.url, room, f"{room}-reader{n}") for room in rooms for n in range(plan.readers)]
            writers = [
                Writer(proxy.url, room, f"{room}-writer{n}", chance.getrandbits(64), answered)
                for room in rooms
                for n in range(plan.writers)
            ]
            try:
                logs = await _talk(plan, server, injector, readers, writers)
            finally:
                injector.words.append(await server.end(SIGTERM))
            damage = await asyncio.to_thread(_damage, server.database)
    said = [message for writer in writers for message in writer.said]
    reads = [reader.read for reader in readers]
    return Report(
        said=len(said),
        acknowledged=sum(bool(message.answers) for message in said),
        repeats=sum(writer.repeats for writer in writers),
        entries=sum(map(len, logs.values())),
        given=sum(len(read.entries) for read in reads),
        seconds=time.monotonic() - began,
        faults=injector.done,
        recoveries=sorted(injector.recoveries),
        refusals=sum((writer.refusals for writer in writers), Counter[str]()),
        words=[line for words in injector.words for line in words.splitlines()],
        damage=damage,
        findings=check(logs, said, reads),
    )


async def _talk(
    plan: Plan, server: Server, injector: Injector, readers: Sequence[Reader], writers: Sequence[Writer]
) -> dict[str, list[Entry]]:
    """Everything up to the end of the talk; the logs of the rooms, read afresh."""
    async with asyncio.TaskGroup() as group:
        listening = [group.create_task(reader.run()) for reader in readers]
        for reader in readers:
            await reader.began.wait()
        talking = [group.create_task(writer.run()) for writer in writers]
        impatience = group.create_task(_retry(readers, writers))
        await injector.run(plan.faults)
        for writer in writers:
            writer.stop()
        async with asyncio.timeout(plan.settling):
            await asyncio.gather(*talking)
        logs = {room: await _log(server.process.url, room) for room in {reader.read.room for reader in readers}}
        with suppress(TimeoutError):  # who is not complete by then is found by the checker
            await eventually(
                lambda: all(reader.last >= _end(logs[reader.read.room]) for reader in readers), plan.settling
            )
        for reader in readers:
            await reader.finish()
        for task in (*listening, impatience):
            task.cancel()
    return logs


async def _retry(readers: Sequence[Reader], writers: Sequence[Writer]) -> None:
    """Have clients try again soon: with so many breaks they would mostly wait, up to 15 seconds each time."""
    while True:
        for person in (*readers, *writers):
            if person.client is not None and isinstance(person.client.state, Offline):
                person.client.retry_now()
        await asyncio.sleep(0.2)


async def _log(url: str, room: str) -> list[Entry]:
    """A room's log, page by page, over a connection of bare frames."""
    entries: list[Entry] = []
    async with raw_client(url) as client:
        await client.join(room, "auditor", limit=1)
        while True:
            after = entries[-1].seq if entries else 0
            answer = await client.ask("history", {"room": room, "after": after, "limit": HISTORY_PAGE})
            page = msgspec.convert(answer, Page)
            entries += page.messages
            if not page.has_more:
                return entries


def _end(log: Sequence[Entry]) -> int:
    return log[-1].seq if log else 0


def _damage(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return "" if verdict == "ok" else verdict
