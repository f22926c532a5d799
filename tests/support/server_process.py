"""A `chat-server` in a process of its own, to be told to stop, killed and started again."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

PATIENCE = 20.0
"""Seconds after which something that was waited for is called missing."""

COMMAND = ("-m", "server")
"""What Python is given to run, before the flags."""


class ServerProcess:
    """One run of the command.

    Attributes:
        url: Where it listens.
        welcome: The line that it said when it was ready.
    """

    def __init__(self, process: asyncio.subprocess.Process, welcome: str) -> None:
        self.process = process
        self.welcome = welcome
        found = re.search(r"https?://\S+:\d+", welcome)
        assert found, f"no address in {welcome!r}"
        self.url = found[0]
        self.port = int(self.url.rpartition(":")[2])

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self) -> tuple[int, str]:
        """Wait for its end; the exit code and what it wrote to standard error."""
        async with asyncio.timeout(PATIENCE):
            _, errors = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, errors.decode()


async def start(home: Path, *flags: str, program: Sequence[str] = COMMAND) -> asyncio.subprocess.Process:
    """Start the command, or a program that takes the same flags, with a home folder of its own; it may fail."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CHAT_", "XDG_"))}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *program, *flags), stdout=pipe, stderr=pipe, env={**inherited, "HOME": str(home)}
    )


async def started(home: Path, *flags: str, program: Sequence[str] = COMMAND) -> ServerProcess:
    """Start the command and wait until it listens."""
    process = await start(home, *flags, program=program)
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        welcome = await process.stdout.readline()
        if not welcome:
            _, errors = await process.communicate()
            raise AssertionError(errors.decode())
    return ServerProcess(process, welcome.decode())


@asynccontextmanager
async def server_process(home: Path, *flags: str, program: Sequence[str] = COMMAND) -> AsyncGenerator[ServerProcess]:
    """A server for as long as the context lasts, on a free port unless a flag says otherwise."""
    server = await started(home, *(flags if "--port" in flags else ("--port", "0", *flags)), program=program)
    try:
        yield server
    finally:
        if server.process.returncode is None:
            server.process.kill()
            await server.process.communicate()
