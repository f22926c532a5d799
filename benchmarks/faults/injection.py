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

from tests.support.server_process import SERVER_COMMAND, ServerProcess, start_server
from tests.support.tcp_proxy import ProxyConnection, TcpProxy
from tests.support.wait import wait_until


class FaultKind(StrEnum):
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
class FaultPace:
    """How much time faults take and leave.

    Attributes:
        answers: Acknowledgements between two faults, at most: so that each one strikes under load.
        quiet: Seconds to wait for those before the next fault comes anyway.
        lasting: Seconds that a freeze, a stall or slowness lasts, at most.
    """

    max_acks: int = 60
    max_wait: float = 8.0
    max_duration: float = 1.0


class RestartableServer:
    """A `chat-server` that always comes back on its port and its database.

    Args:
        home: Where its database lies.
        flags: Beside those for the port and the database.
        program: What is run; by default the command.
    """

    def __init__(self, home: Path, flags: Sequence[str], program: Sequence[str] = SERVER_COMMAND) -> None:
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
        self._process = await start_server(self._home, *flags, program=self._program)
        self._port = self._process.port
        return self._port

    async def stop(self, signal_number: signal.Signals) -> str:
        """End it by a signal; what it wrote to standard error."""
        process = self.process
        if process.process.returncode is None:
            process.send_signal(signal_number)
            if signal_number is not signal.SIGKILL:
                process.send_signal(signal.SIGCONT)
        _, stderr = await process.wait_closed()
        return stderr

    def send_signal(self, signal_number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if self._process is not None and self._process.process.returncode is None:
            self._process.send_signal(signal_number)


class FaultInjector:
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
        server: RestartableServer,
        proxy: TcpProxy,
        rng: random.Random,
        pace: FaultPace,
        *,
        count_acks: Callable[[], int],
        kill_client: Callable[[random.Random], Awaitable[None]],
    ) -> None:
        self.injected: Counter[FaultKind] = Counter()
        self.recovery_times: list[float] = []
        self.stderr_outputs: list[str] = []
        self._server = server
        self._proxy = proxy
        self._rng = rng
        self._pace = pace
        self._count_acks = count_acks
        self._kill_client = kill_client
        self._recovery_tasks: set[asyncio.Task[None]] = set()

    async def run(self, planned: Mapping[FaultKind, int]) -> None:
        """Do all of it, so often each, in an order drawn by chance; then heal what can be healed."""
        faults = [kind for kind, count in planned.items() for _ in range(count)]
        self._rng.shuffle(faults)
        for fault in faults:
            await self._wait_for_load()
            await self._inject(fault)
            self.injected[fault] += 1
        await asyncio.gather(*self._recovery_tasks)

    async def _wait_for_load(self) -> None:
        """Let some be acknowledged, so that no fault finds everybody still busy with the last one."""
        target = self._count_acks() + self._rng.randint(1, self._pace.max_acks)
        with suppress(TimeoutError):
            await wait_until(lambda: self._count_acks() >= target, self._pace.max_wait)

    async def _inject(self, fault: FaultKind) -> None:
        rng, duration = self._rng, self._rng.uniform(0.05, self._pace.max_duration)
        match fault:
            case FaultKind.KILL:
                await self._restart(signal.SIGKILL)
            case FaultKind.RESTART:
                await self._restart(signal.SIGTERM)
            case FaultKind.FREEZE:
                self._server.send_signal(signal.SIGSTOP)
                self._schedule_recovery(duration, lambda: self._server.send_signal(signal.SIGCONT))
            case FaultKind.CUT:
                for connection in self._sample_connections():
                    connection.reset()
            case FaultKind.STALL:
                for connection in self._sample_connections():
                    connection.stall()
                    self._schedule_recovery(duration, connection.resume)
            case FaultKind.SLOW:
                for connection in self._sample_connections():
                    connection.throttle(rng.randint(500, 20_000))
                    self._schedule_recovery(duration, connection.resume)
            case FaultKind.HALF_CLOSE:
                for connection in self._sample_connections():
                    connection.half_close(towards_server=rng.random() < 0.5)
                    self._schedule_recovery(duration, connection.reset)
            case FaultKind.CLIENT_KILL:
                await self._kill_client(rng)

    async def _restart(self, signal_number: signal.Signals) -> None:
        start_time, acks_before = time.monotonic(), self._count_acks()
        self.stderr_outputs.append(await self._server.stop(signal_number))
        await self._server.start()
        if signal_number is signal.SIGKILL:
            task = asyncio.create_task(self._record_recovery(start_time, acks_before))
            self._recovery_tasks.add(task)
            task.add_done_callback(self._recovery_tasks.discard)

    async def _record_recovery(self, start_time: float, acks_before: int) -> None:
        await wait_until(lambda: self._count_acks() > acks_before)
        self.recovery_times.append(time.monotonic() - start_time)

    def _sample_connections(self) -> list[ProxyConnection]:
        connections = self._proxy.open_connections
        share = self._rng.choice((0.3, 0.6, 1.0))
        return [connection for connection in connections if self._rng.random() < share]

    def _schedule_recovery(self, seconds: float, recover: Callable[[], None]) -> None:
        async def recover_later() -> None:
            try:
                await asyncio.sleep(seconds)
            finally:
                recover()

        task = asyncio.create_task(recover_later())
        self._recovery_tasks.add(task)
        task.add_done_callback(self._recovery_tasks.discard)
