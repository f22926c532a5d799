"""Clients that are killed while their outbox is full, and started again: `typist`, from outside."""

import asyncio
import random
import sys
from pathlib import Path

from benchmarks.faults.checker import Said
from tests.support.eventually import eventually
from tests.support.tcp_proxy import TcpProxy

BURST = 50
"""Lines that are typed before a kill, at most."""

OFFLINE = 0.6
"""How likely it is that nothing of a burst can be sent before the kill."""


class Typist:
    """One person at one computer, whose client does not live long.

    Attributes:
        said: Everything that was typed, in order; `kept` is what a client had on disk.
        lives: How often a client was started.
    """

    def __init__(self, proxy: TcpProxy, room: str, name: str, folder: Path) -> None:
        self.said: list[Said] = []
        self.lives = 0
        self._proxy = proxy
        self._room = room
        self._name = name
        self._folder = folder
        self._by_mark: dict[str, Said] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._joined = False

    @property
    def kept(self) -> int:
        """How many lines a client had on disk."""
        return sum(said.kept for said in self.said)

    async def start(self) -> None:
        """Start a client, and wait until it is in the room."""
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "benchmarks.faults.typist")
        where = (self._proxy.url, self._room, self._name, str(self._folder))
        self._joined = False
        self._process = await asyncio.create_subprocess_exec(*command, *where, stdin=pipe, stdout=pipe)
        self._listening = asyncio.create_task(self._listen(self._process))
        await eventually(lambda: self._joined)
        self.lives += 1

    async def type_and_die(self, chance: random.Random) -> None:
        """Type some lines, be killed when some of them are on disk, and start again."""
        if chance.random() < OFFLINE:
            self._proxy.stall()
        burst = chance.randint(5, BURST)
        goal = self.kept + chance.randint(1, burst)
        try:
            self._type(burst)
            await eventually(lambda: self.kept >= goal)
            await self._kill()
        finally:
            self._proxy.resume()
        await self.start()

    async def end(self) -> None:
        """Be killed for good."""
        if self._process is not None and self._process.returncode is None:
            await self._kill()

    def _type(self, count: int) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        for _ in range(count):
            mark = f"{self._name}-{len(self.said)}"
            said = self._by_mark[mark] = Said(self._room, self._name, mark)
            self.said.append(said)
            self._process.stdin.write(f"{mark} typed\n".encode())

    async def _kill(self) -> None:
        assert self._process is not None
        assert self._listening is not None
        self._process.kill()
        await self._process.wait()
        await self._listening

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            word, _, mark = line.decode().strip().partition(" ")
            if word == "joined":
                self._joined = True
            elif line.endswith(b"\n"):
                self._by_mark[mark].kept = True
