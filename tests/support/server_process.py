"""A `chat-server` in a process of its own, to be told to stop, killed and started again."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

TIMEOUT = 20.0
"""Seconds after which something that was waited for is called missing."""

SERVER_COMMAND = ("-m", "server")
"""What Python is given to run, before the flags."""


class ServerProcess:
    """One run of the command.

    Attributes:
        url: Where it listens.
        welcome: The line that it said when it was ready.
    """

    def __init__(self, process: asyncio.subprocess.Process, ready_line: str) -> None:
        self.process = process
        self.ready_line = ready_line
        match = re.search(r"https?://\S+:\d+", ready_line)
        assert match, f"no address in {ready_line!r}"
        self.url = match[0]
        self.port = int(self.url.rpartition(":")[2])

    def send_signal(self, signal_number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(signal_number)

    async def wait_closed(self) -> tuple[int, str]:
        """Wait for its end; the exit code and what it wrote to standard error."""
        async with asyncio.timeout(TIMEOUT):
            _, stderr = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, stderr.decode()


async def spawn_server(home: Path, *flags: str, program: Sequence[str] = SERVER_COMMAND) -> asyncio.subprocess.Process:
    """Start the command, or a program that takes the same flags, with a home folder of its own; it may fail."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CHAT_", "XDG_"))}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *program, *flags), stdout=pipe, stderr=pipe, env={**environment, "HOME": str(home)}
    )


async def start_server(home: Path, *flags: str, program: Sequence[str] = SERVER_COMMAND) -> ServerProcess:
    """Start the command and wait until it listens."""
    process = await spawn_server(home, *flags, program=program)
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT):
        ready_line = await process.stdout.readline()
        if not ready_line:
            _, stderr = await process.communicate()
            raise AssertionError(stderr.decode())
    return ServerProcess(process, ready_line.decode())


@asynccontextmanager
async def server_process(
    home: Path, *flags: str, program: Sequence[str] = SERVER_COMMAND
) -> AsyncGenerator[ServerProcess]:
    """A server for as long as the context lasts, on a free port unless a flag says otherwise."""
    server = await start_server(home, *(flags if "--port" in flags else ("--port", "0", *flags)), program=program)
    try:
        yield server
    finally:
        if server.process.returncode is None:
            server.process.kill()
            await server.process.communicate()
