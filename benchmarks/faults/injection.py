"""What goes wrong, when, and to whom: drawn from a seed, done to a server process and the proxy before it."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.server_process import COMMAND, ServerProcess, started
from tests.support.tcp_proxy import Passage, TcpProxy


class Kind(StrEnum):
    """The ways in which something breaks."""

    KILL = "server killed (SIGKILL)"
    RESTART = "server stopped as planned and started"
    FREEZE = "server frozen (SIGSTOP)"
    CUT = "connections cut"
    STALL = "connections stalled"
    SLOW = "connections slow"
    HALF_CLOSE = "connections half closed"
    CLIENT_KILL = "clients with unsent messages killed (SIGKILL)"


@dataclass(frozen=True, slots=True)
class Pace:
    """How much time faults take and leave.

    Attributes:
        answers: Acknowledgements between two faults, at most: so that each one strikes under load.
        quiet: Seconds to wait for those before the next fault comes anyway.
        lasting: Seconds that a freeze, a stall or slowness lasts, at most.
    """

    answers: int = 60
    quiet: float = 8.0
    lasting: float = 1.0


class Server:
    """A `chat-server` that always comes back on its port and its database.

    Args:
        home: Where its database lies.
        flags: Beside those for the port and the database.
        program: What is run; by default the command.
    """

    def __init__(self, home: Path, flags: Sequence[str], program: Sequence[str] = COMMAND) -> None:
        self.database = home / "chat.db"
        self._home = home
        self._flags = flags
        self._program = program
        self._process: ServerProcess | None = None
        self._port = 0

    @property
    def process(self) -> ServerProcess:
        """The process there is now."""
        assert self._process is not None
        return self._process

    async def start(self) -> int:
        """Start it; the port."""
        flags = ("--port", str(self._port), "--database", str(self.database), *self._flags)
        self._process = await started(self._home, *flags, program=self._program)
        self._port = self._process.port
        return self._port

    async def end(self, number: signal.Signals) -> str:
        """End it by a signal; what it wrote to standard error."""
        process = self.process
        if process.process.returncode is None:
            process.signal(number)
            if number is not signal.SIGKILL:
                process.signal(signal.SIGCONT)
        _, errors = await process.ended()
        return errors

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if self._process is not None and self._process.process.returncode is None:
            self._process.signal(number)


class Injector:
    """Breaks things one after the other, while what lasts may overlap.

    Attributes:
        done: How often what was done.
        recoveries: For each kill, the seconds until the next acknowledgement.
        words: What the servers wrote to standard error.

    Args:
        answers: Gives how many acknowledgements there were until now.
        kill_client: Kills one of the clients that keep what they have to send, and starts it again.
    """

    def __init__(
        self,
        server: Server,
        proxy: TcpProxy,
        chance: random.Random,
        pace: Pace,
        *,
        answers: Callable[[], int],
        kill_client: Callable[[random.Random], Awaitable[None]],
    ) -> None:
        self.done: Counter[Kind] = Counter()
        self.recoveries: list[float] = []
        self.words: list[str] = []
        self._server = server
        self._proxy = proxy
        self._chance = chance
        self._pace = pace
        self._answers = answers
        self._kill_client = kill_client
        self._healing: set[asyncio.Task[None]] = set()

    async def run(self, counts: Mapping[Kind, int]) -> None:
        """Do all of it, so often each, in an order drawn by chance; then heal what can be healed."""
        faults = [kind for kind, count in counts.items() for _ in range(count)]
        self._chance.shuffle(faults)
        for fault in faults:
            await self._under_load()
            await self._strike(fault)
            self.done[fault] += 1
        await asyncio.gather(*self._healing)

    async def _under_load(self) -> None:
        """Let some be acknowledged, so that no fault finds everybody still busy with the last one."""
        goal = self._answers() + self._chance.randint(1, self._pace.answers)
        with suppress(TimeoutError):
            await eventually(lambda: self._answers() >= goal, self._pace.quiet)

    async def _strike(self, fault: Kind) -> None:
        chance, lasting = self._chance, self._chance.uniform(0.05, self._pace.lasting)
        match fault:
            case Kind.KILL:
                await self._restart(signal.SIGKILL)
            case Kind.RESTART:
                await self._restart(signal.SIGTERM)
            case Kind.FREEZE:
                self._server.signal(signal.SIGSTOP)
                self._later(lasting, lambda: self._server.signal(signal.SIGCONT))
            case Kind.CUT:
                for passage in self._some():
                    passage.cut()
            case Kind.STALL:
                for passage in self._some():
                    passage.stall()
                    self._later(lasting, passage.resume)
            case Kind.SLOW:
                for passage in self._some():
                    passage.slow(chance.randint(500, 20_000))
                    self._later(lasting, passage.resume)
            case Kind.HALF_CLOSE:
                for passage in self._some():
                    passage.half_close(towards_server=chance.random() < 0.5)
                    self._later(lasting, passage.cut)
            case Kind.CLIENT_KILL:
                await self._kill_client(chance)

    async def _restart(self, number: signal.Signals) -> None:
        began, before = time.monotonic(), self._answers()
        self.words.append(await self._server.end(number))
        await self._server.start()
        if number is signal.SIGKILL:
            task = asyncio.create_task(self._recovered(began, before))
            self._healing.add(task)
            task.add_done_callback(self._healing.discard)

    async def _recovered(self, began: float, before: int) -> None:
        await eventually(lambda: self._answers() > before)
        self.recoveries.append(time.monotonic() - began)

    def _some(self) -> list[Passage]:
        passages = self._proxy.passages
        share = self._chance.choice((0.3, 0.6, 1.0))
        return [passage for passage in passages if self._chance.random() < share]

    def _later(self, seconds: float, heal: Callable[[], None]) -> None:
        async def wait() -> None:
            try:
                await asyncio.sleep(seconds)
            finally:
                heal()

        task = asyncio.create_task(wait())
        self._healing.add(task)
        task.add_done_callback(self._healing.discard)
