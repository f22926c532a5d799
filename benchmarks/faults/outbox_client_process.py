"""Control of `benchmarks.faults.outbox_client` processes, which are killed with a full outbox."""

import asyncio
import random
import sys
from pathlib import Path

from benchmarks.faults.checker import SentMessage
from tests.support.environment import program_environment
from tests.support.program import PIPE, start_program
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import wait_until

MAX_BURST = 50
"""Maximum number of lines before a kill."""

OFFLINE_PROBABILITY = 0.6
"""Probability that a burst is written without a connection."""


class OutboxClientProcess:
    """Client process of one user, restarted after each kill with the same outbox.

    Attributes:
        sent: All written messages, in order; `is_persisted` marks messages in the outbox.
        start_count: Number of process starts.
    """

    def __init__(self, proxy: TcpProxy, room: str, name: str, directory: Path) -> None:
        self.sent: list[SentMessage] = []
        self.start_count = 0
        self._proxy = proxy
        self._room = room
        self._name = name
        self._directory = directory
        self._by_marker: dict[str, SentMessage] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reader_task: asyncio.Task[None] | None = None
        self._has_joined = False

    @property
    def persisted_count(self) -> int:
        """Number of messages that the outbox has stored, including delivered messages."""
        return sum(message.is_persisted for message in self.sent)

    async def start(self) -> None:
        """Start the process and wait for its join.

        Raises:
            TimeoutError: The process did not join.
        """
        command = (sys.executable, "-m", "benchmarks.faults.outbox_client")
        arguments = (self._proxy.url, self._room, self._name, str(self._directory))
        environ = program_environment(self._directory)
        self._has_joined = False
        self._process = await start_program((*command, *arguments), environ, stdin=PIPE, stdout=PIPE)
        self._reader_task = asyncio.create_task(self._read_output(self._process))
        await wait_until(lambda: self._has_joined)
        self.start_count += 1

    async def write_and_kill(self, rng: random.Random) -> None:
        """Write a burst of lines, kill the process while some of them are persisted, and restart it.

        A burst without a connection stalls the proxy, which resumes before the restart.
        """
        if rng.random() < OFFLINE_PROBABILITY:
            self._proxy.stall()
        line_count = rng.randint(5, MAX_BURST)
        target = self.persisted_count + rng.randint(1, line_count)
        try:
            self._write_lines(line_count)
            await wait_until(lambda: self.persisted_count >= target)
            await self._kill()
        finally:
            self._proxy.resume()
        await self.start()

    async def stop(self) -> None:
        """Kill the process if the process is running."""
        if self._process is not None and self._process.returncode is None:
            await self._kill()

    def _write_lines(self, count: int) -> None:
        """Write messages to the process, and record them as sent."""
        assert self._process is not None
        assert self._process.stdin is not None
        for _ in range(count):
            marker = f"{self._name}-{len(self.sent)}"
            message = self._by_marker[marker] = SentMessage(self._room, self._name, marker)
            self.sent.append(message)
            self._process.stdin.write(f"{marker} text\n".encode())

    async def _kill(self) -> None:
        """Kill the process and read its remaining output."""
        assert self._process is not None
        assert self._reader_task is not None
        self._process.kill()
        await self._process.wait()
        await self._reader_task

    async def _read_output(self, process: asyncio.subprocess.Process) -> None:
        """Record the join and the persisted messages until the end of the output."""
        assert process.stdout is not None
        async for line in process.stdout:
            keyword, _, marker = line.decode().strip().partition(" ")
            if keyword == "joined":
                self._has_joined = True
            elif line.endswith(b"\n"):
                self._by_marker[marker].is_persisted = True
