"""`chat-server` in a separate process, for signals, kills and restarts."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from server import control_commands
from server.control_socket import ControlError
from tests.support.environment import program_environment
from tests.support.program import PIPE, start_program
from tests.support.wait import TIMEOUT

SERVER_COMMAND = ("-m", "server")
"""Arguments of Python in front of the server flags."""

DATABASE = ".local/share/tui-chat/chat.db"
"""Path of the default database below the home directory."""


class ServerProcess:
    """Running server process.

    Attributes:
        process: Process of the server.
        ready_line: First output line, printed after the start.
        url: Base URL of the server.
        port: TCP port of the server.
    """

    def __init__(self, process: asyncio.subprocess.Process, ready_line: str) -> None:
        self.process = process
        self.ready_line = ready_line
        match = re.search(r"https?://\S+:\d+", ready_line)
        assert match, f"no URL in the ready line {ready_line!r}"
        self.url = match[0]
        self.port = int(self.url.rpartition(":")[2])

    def send_signal(self, signal_number: signal.Signals) -> None:
        """Send a signal to the server."""
        self.process.send_signal(signal_number)

    async def wait_closed(self) -> tuple[int, str]:
        """Wait for the exit; return the exit code and the standard error output."""
        async with asyncio.timeout(TIMEOUT):
            _, stderr = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, stderr.decode()


async def spawn_server(
    home: Path, *flags: str, program: Sequence[str] = SERVER_COMMAND, **variables: str
) -> asyncio.subprocess.Process:
    """Start `program` with its own home directory and environment variables, without waiting for success."""
    command = (sys.executable, *program, *flags)
    return await start_program(command, program_environment(home, **variables), stdout=PIPE, stderr=PIPE)


async def run_server(
    home: Path, *flags: str, stdin: str | None = None, **variables: str
) -> tuple[int | None, str, str]:
    """Run a server command with an input until its exit; return exit code, output and errors."""
    command = (sys.executable, *SERVER_COMMAND, *flags)
    environ = program_environment(home, **variables)
    process = await start_program(command, environ, stdin=None if stdin is None else PIPE, stdout=PIPE, stderr=PIPE)
    data = None if stdin is None else stdin.encode()
    output, errors = await asyncio.wait_for(process.communicate(data), TIMEOUT)
    return process.returncode, output.decode(), errors.decode()


async def start_server(
    home: Path, *flags: str, program: Sequence[str] = SERVER_COMMAND, timeout: float = TIMEOUT, **variables: str
) -> ServerProcess:
    """Start `program` with environment variables, and wait for its ready line, for at most `timeout` seconds."""
    process = await spawn_server(home, *flags, program=program, **variables)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(timeout):
            ready_line = await process.stdout.readline()
            if not ready_line:
                _, stderr = await process.communicate()
                raise AssertionError(stderr.decode())
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        raise
    return ServerProcess(process, ready_line.decode())


@asynccontextmanager
async def server_process(
    home: Path, *flags: str, program: Sequence[str] = SERVER_COMMAND, timeout: float = TIMEOUT
) -> AsyncGenerator[ServerProcess]:
    """Run a server within the block, by default on a free port; `timeout` is that of the start in seconds."""
    port_flags = () if "--port" in flags else ("--port", "0")
    server = await start_server(home, *port_flags, *flags, program=program, timeout=timeout)
    try:
        yield server
    finally:
        if server.process.returncode is None:
            server.process.kill()
            await server.process.communicate()


def stop_servers() -> None:
    """Stop all servers of the current home directory."""
    for server in control_commands.find_servers({}):
        with suppress(ControlError):  # ended in the meantime
            control_commands.run("stop", {"port": str(server.fields["port"])}, as_json=False)
