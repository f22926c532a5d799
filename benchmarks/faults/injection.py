"""Seeded fault injection into a server process and the TCP proxy in front of it."""

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
from typing import TypeVar

from tests.support.server_process import SERVER_COMMAND, ServerProcess, start_server
from tests.support.tcp_proxy import ProxyConnection, TcpProxy
from tests.support.wait import wait_until

START_TIMEOUT = 120.0
"""Maximum time for the start of a program on a busy machine, in seconds."""

_Kind = TypeVar("_Kind", bound=StrEnum)


class FaultKind(StrEnum):
    """Type of a fault."""

    KILL = "server killed (SIGKILL)"
    RESTART = "server shut down (SIGTERM) and restarted"
    FREEZE = "server frozen (SIGSTOP)"
    ABORT = "connections aborted"
    STALL = "connections stalled"
    SLOW = "connections slowed"
    HALF_CLOSE = "connections half-closed"
    CLIENT_KILL = "clients with unsent messages killed (SIGKILL)"


@dataclass(frozen=True, slots=True)
class FaultPace:
    """Timing of faults.

    Attributes:
        max_acks: Maximum of acknowledgements between two faults, so that each fault occurs under load.
        max_wait: Maximum wait for these acknowledgements in seconds, unless none has arrived.
        max_duration: Maximum duration of a freeze, stall or slowdown in seconds.
        max_cut: Maximum duration of a cut of a link in a cluster in seconds; longer than the timeout of the bus.
    """

    max_acks: int = 60
    max_wait: float = 8.0
    max_duration: float = 1.0
    max_cut: float = 8.0


class RestartableServer:
    """`chat-server` process with a fixed port across restarts.

    Args:
        home: Home directory of the process, with the database by default.
        port: Port of the server, reserved for the time between two starts (`reserved_port`).
        flags: Additional command line flags.
        program: Command of the server.
    """

    def __init__(self, home: Path, port: int, flags: Sequence[str], program: Sequence[str] = SERVER_COMMAND) -> None:
        self._home = home
        self._flags = ("--port", str(port), *flags)
        self._program = program
        self._process: ServerProcess | None = None

    @property
    def process(self) -> ServerProcess:
        """Latest server process, possibly stopped; requires an earlier `start`."""
        assert self._process is not None
        return self._process

    async def start(self, program: Sequence[str] | None = None, **variables: str) -> None:
        """Start the server.

        Args:
            program: Command of the server, None for that of the constructor.
            variables: Additional environment variables.
        """
        self._process = await start_server(
            self._home, *self._flags, program=program or self._program, timeout=START_TIMEOUT, **variables
        )

    async def stop(self, signal_number: signal.Signals) -> str:
        """Stop a running or frozen server with a signal, and return the standard error output of the server.

        A server that has ended before receives no signal.
        """
        process = self.process
        if process.process.returncode is None:
            process.send_signal(signal_number)
            if signal_number is not signal.SIGKILL:
                process.send_signal(signal.SIGCONT)
        _, stderr = await process.wait_closed()
        return stderr

    def send_signal(self, signal_number: signal.Signals) -> None:
        """Send a signal to the server process if the process is running."""
        if self._process is not None and self._process.process.returncode is None:
            self._process.send_signal(signal_number)


class FaultSchedule:
    """Sequence of faults under load. A fault with a duration may overlap with later faults.

    Args:
        rng: Source of randomness.
        pace: Timing of faults.
        count_acks: Returns the number of acknowledgements since the start.

    Attributes:
        injected: Number of injected faults by type.
        recoveries: Tasks that end faults; open during `run`.
    """

    def __init__(self, rng: random.Random, pace: FaultPace, count_acks: Callable[[], int]) -> None:
        self.injected: Counter[str] = Counter()
        self.recoveries = asyncio.TaskGroup()
        self._rng = rng
        self._pace = pace
        self._count_acks = count_acks

    async def run(self, planned: Mapping[_Kind, int], inject: Callable[[_Kind], Awaitable[None]]) -> None:
        """Inject the planned faults in random order, then wait for the end of all faults with a duration. Call once.

        Raises:
            ExceptionGroup: No acknowledgement arrived between two faults, or the start or end of a fault failed.
        """
        faults = [kind for kind, count in planned.items() for _ in range(count)]
        self._rng.shuffle(faults)
        async with self.recoveries:
            for fault in faults:
                await self._wait_for_load()
                await inject(fault)
                self.injected[fault] += 1

    def draw_duration(self) -> float:
        """Return a random duration of a fault in seconds."""
        return self._rng.uniform(0.05, self._pace.max_duration)

    def draw_cut_duration(self) -> float:
        """Return a random duration of the cut of a link in seconds."""
        return self._rng.uniform(0.05, self._pace.max_cut)

    def end_later(self, recover: Callable[[], None], duration: float | None = None) -> None:
        """End a fault after a duration in seconds, by default a random one."""
        seconds = self.draw_duration() if duration is None else duration

        async def recover_later() -> None:
            try:
                await asyncio.sleep(seconds)
            finally:
                recover()

        self.recoveries.create_task(recover_later())

    async def _wait_for_load(self) -> None:
        """Wait for a random number of acknowledgements, so that clients recover from the previous fault.

        After `max_wait` seconds, one acknowledgement is sufficient.

        Raises:
            TimeoutError: No acknowledgement arrived within `max_wait` and 20 further seconds.
        """
        acks_before = self._count_acks()
        target = acks_before + self._rng.randint(1, self._pace.max_acks)
        with suppress(TimeoutError):
            await wait_until(lambda: self._count_acks() >= target, self._pace.max_wait)
        await wait_until(lambda: self._count_acks() > acks_before)


class FaultInjector:
    """Injector of faults into one server and the proxy in front of it.

    Args:
        server: Server to kill, restart and freeze.
        proxy: Proxy between the clients and the server.
        rng: Source of randomness.
        pace: Timing of faults.
        count_acks: Returns the number of acknowledgements since the start.
        kill_client: Kills and restarts one client with an outbox.

    Attributes:
        recovery_times: Recovery time of each kill in seconds, up to the first acknowledgement.
        stderr_outputs: Standard error output of each stopped server.
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
        self.recovery_times: list[float] = []
        self.stderr_outputs: list[str] = []
        self._server = server
        self._proxy = proxy
        self._rng = rng
        self._count_acks = count_acks
        self._kill_client = kill_client
        self._schedule = FaultSchedule(rng, pace, count_acks)

    @property
    def injected(self) -> Counter[str]:
        """Number of injected faults by type."""
        return self._schedule.injected

    async def run(self, planned: Mapping[FaultKind, int]) -> None:
        """Inject the planned faults in random order, then wait for the end of all faults with a duration. Call once.

        Raises:
            ExceptionGroup: No acknowledgement arrived between two faults or after a kill, or a program did not start.
        """
        await self._schedule.run(planned, self._inject)

    async def _inject(self, fault: FaultKind) -> None:
        """Inject one fault; a fault with a duration ends later."""
        match fault:
            case FaultKind.KILL:
                await self._restart(signal.SIGKILL)
            case FaultKind.RESTART:
                await self._restart(signal.SIGTERM)
            case FaultKind.FREEZE:
                self._server.send_signal(signal.SIGSTOP)
                self._schedule.end_later(lambda: self._server.send_signal(signal.SIGCONT))
            case FaultKind.CLIENT_KILL:
                await self._kill_client(self._rng)
            case _:
                for connection in self._sample_connections():
                    self._disturb(connection, fault)

    def _disturb(self, connection: ProxyConnection, fault: FaultKind) -> None:
        """Stall, slow, half-close or abort one connection."""
        match fault:
            case FaultKind.STALL:
                connection.stall()
                self._schedule.end_later(connection.resume)
            case FaultKind.SLOW:
                connection.throttle(self._rng.randint(500, 20_000))
                self._schedule.end_later(connection.resume)
            case FaultKind.HALF_CLOSE:
                connection.half_close(towards_server=self._rng.random() < 0.5)
                self._schedule.end_later(connection.reset)
            case _:
                connection.reset()

    async def _restart(self, signal_number: signal.Signals) -> None:
        """Stop and start the server; after a kill, record the recovery time in the background."""
        start_time, acks_before = time.monotonic(), self._count_acks()
        self.stderr_outputs.append(await self._server.stop(signal_number))
        await self._server.start()
        if signal_number is signal.SIGKILL:
            self._schedule.recoveries.create_task(self._record_recovery(start_time, acks_before))

    async def _record_recovery(self, start_time: float, acks_before: int) -> None:
        await wait_until(lambda: self._count_acks() > acks_before)
        self.recovery_times.append(time.monotonic() - start_time)

    def _sample_connections(self) -> list[ProxyConnection]:
        connections = self._proxy.open_connections
        share = self._rng.choice((0.3, 0.6, 1.0))
        return [connection for connection in connections if self._rng.random() < share]
