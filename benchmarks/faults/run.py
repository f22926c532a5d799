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

from benchmarks.faults.checker import Finding, check, mark
from benchmarks.faults.injection import Injector, Kind, Pace, Server
from benchmarks.faults.people import Reader, Writer
from benchmarks.faults.typists import Typist
from server.protocol.answers import HistoryPage
from server.protocol.entries import Entry, Message
from server.protocol.errors import Unavailable
from server.protocol.limits import HISTORY_PAGE
from tests.support.eventually import eventually
from tests.support.raw_client import raw_client
from tests.support.server_process import COMMAND
from tests.support.tcp_proxy import TcpProxy, tcp_proxy
from tui_chat.client.events import Offline

FLAGS = (
    *("--rate-limit", "off", "--log-level", "warning"),
    # Short, so that what has gone silent is noticed within the time of a run.
    *("--ping-interval", "1", "--ping-timeout", "2"),
)
FINISHING = 120.0
"""Seconds that writers may take, once nothing breaks any more, to be answered."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of.

    Attributes:
        seed: Of everything that is left to chance, but for what the machine does.
        faults: How often which.
        rooms: Each has the same number of writers and readers.
        catching_up: Seconds that readers may take, once nothing breaks any more, to be complete.
        typists: Clients in processes of their own, with one outbox between them, all in the first room.
        program: The server to run; by default the command.
    """

    seed: int
    faults: Mapping[Kind, int]
    rooms: int = 2
    writers: int = 6
    readers: int = 3
    typists: int = 0
    pace: Pace = field(default_factory=Pace)
    catching_up: float = FINISHING
    program: Sequence[str] = COMMAND


@dataclass(slots=True)
class Report:
    """What came of it.

    Attributes:
        said: Messages sent.
        kept: Messages that typists had on disk when they were killed, or later.
        arrived: Those of them that are in the log.
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
    kept: int
    arrived: int
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
    people = _People()
    with tempfile.TemporaryDirectory(prefix="chat-faults-") as folder:
        server = Server(Path(folder), FLAGS, plan.program)
        port = await server.start()
        async with tcp_proxy(port) as proxy, tcp_proxy(port) as typists_proxy:
            people.assemble(plan, proxy.url, chance)
            people.assemble_typists(plan, typists_proxy, Path(folder))
            injector = Injector(
                server,
                proxy,
                chance,
                plan.pace,
                answers=lambda: people.answers,
                kill_client=people.kill_a_typist,
            )
            try:
                logs = await _talk(plan, server, injector, people)
            finally:
                for typist in people.typists:
                    await typist.end()
                injector.words.append(await server.end(SIGTERM))
            damage = await asyncio.to_thread(_damage, server.database)
    said = [message for writer in people.writers for message in writer.said]
    typed = [message for typist in people.typists for message in typist.said]
    reads = [reader.read for reader in people.readers]
    marks = {mark(entry.message) for log in logs.values() for entry in log if isinstance(entry, Message)}
    return Report(
        said=len(said),
        acknowledged=sum(bool(message.answers) for message in said),
        kept=sum(message.kept for message in typed),
        arrived=sum(message.kept and message.mark in marks for message in typed),
        repeats=sum(writer.repeats for writer in people.writers),
        entries=sum(map(len, logs.values())),
        given=sum(len(read.entries) for read in reads),
        seconds=time.monotonic() - began,
        faults=injector.done,
        recoveries=sorted(injector.recoveries),
        refusals=sum((writer.refusals for writer in people.writers), Counter[str]()),
        words=[line for words in injector.words for line in words.splitlines()],
        damage=damage,
        findings=check(logs, [*said, *typed], reads),
    )


@dataclass(slots=True)
class _People:
    """Everybody in a run, and how often somebody was answered."""

    writers: list[Writer] = field(default_factory=list[Writer])
    readers: list[Reader] = field(default_factory=list[Reader])
    typists: list[Typist] = field(default_factory=list[Typist])
    answers: int = 0

    def assemble(self, plan: Plan, url: str, chance: random.Random) -> None:
        for room in _rooms(plan):
            self.readers += [Reader(url, room, f"{room}-reader{n}") for n in range(plan.readers)]
            for number in range(plan.writers):
                name, seed = f"{room}-writer{number}", chance.getrandbits(64)
                self.writers.append(Writer(url, room, name, seed, self._answered))

    def assemble_typists(self, plan: Plan, proxy: TcpProxy, folder: Path) -> None:
        room = _rooms(plan)[0]
        self.typists += [Typist(proxy, room, f"{room}-typist{n}", folder) for n in range(plan.typists)]

    async def kill_a_typist(self, chance: random.Random) -> None:
        await chance.choice(self.typists).type_and_die(chance)

    def _answered(self) -> None:
        self.answers += 1


def _rooms(plan: Plan) -> list[str]:
    return [f"room-{number}" for number in range(plan.rooms)]


async def _talk(plan: Plan, server: Server, injector: Injector, people: _People) -> dict[str, list[Entry]]:
    """Everything up to the end of the talk; the logs of the rooms, read afresh."""
    async with asyncio.TaskGroup() as group:
        listening = [group.create_task(reader.run()) for reader in people.readers]
        for reader in people.readers:
            await reader.began.wait()
        for typist in people.typists:
            await typist.start()
        talking = [group.create_task(writer.run()) for writer in people.writers]
        impatience = group.create_task(_retry(people))
        await injector.run(plan.faults)
        for writer in people.writers:
            writer.stop()
        async with asyncio.timeout(FINISHING):
            await asyncio.gather(*talking)
        with suppress(TimeoutError):  # what is missing by then, here and below, is found by the checker
            await _delivered(people.typists, people.readers[0], plan.catching_up)
        for typist in people.typists:
            await typist.end()
        logs = {room: await _log(server.process.url, room) for room in _rooms(plan)}
        with suppress(TimeoutError):
            await eventually(
                lambda: all(reader.last >= _end(logs[reader.read.room]) for reader in people.readers), plan.catching_up
            )
        for reader in people.readers:
            await reader.finish()
        for task in (*listening, impatience):
            task.cancel()
    return logs


async def _delivered(typists: Sequence[Typist], reader: Reader, patience: float) -> None:
    """Wait until the reader was given all that typists' clients had on disk."""
    waiting = {said.mark for typist in typists for said in typist.said if said.kept}
    seen = 0

    def nothing_waits() -> bool:
        nonlocal seen
        news = reader.read.entries[seen:]
        seen += len(news)
        waiting.difference_update(mark(entry.message) for entry in news if isinstance(entry, Message))
        return not waiting

    await eventually(nothing_waits, patience)


async def _retry(people: _People) -> None:
    """Have clients try again soon: with so many breaks they would mostly wait, up to 15 seconds each time."""
    while True:
        for person in (*people.readers, *people.writers):
            if person.client is not None and isinstance(person.client.state, Offline):
                person.client.reconnect_now()
        await asyncio.sleep(0.2)


async def _log(url: str, room: str) -> list[Entry]:
    """A room's log, page by page, over a connection of bare frames."""
    entries: list[Entry] = []
    async with raw_client(url) as client:
        await client.join(room, "auditor", limit=1)
        while True:
            after = entries[-1].seq if entries else 0
            answer = await client.ask("history", {"room": room, "after": after, "limit": HISTORY_PAGE})
            page = msgspec.convert(answer, HistoryPage)
            entries += page.messages
            if not page.has_more:
                return entries


def _end(log: Sequence[Entry]) -> int:
    return log[-1].seq if log else 0


def _damage(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return "" if verdict == "ok" else verdict
