"""Commands of `chat-tui` in real processes with pipes."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.environment import program_environment
from tests.support.program import PIPE, start_program
from tests.support.wait import TIMEOUT


@asynccontextmanager
async def start_command(home: Path, *args: str, **variables: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a command within the block, with pipes as its standard streams and additional environment variables."""
    command = (sys.executable, "-m", "tui_chat", *args)
    environ = program_environment(home, **variables)
    process = await start_program(command, environ, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def run_command(home: Path, *args: str, stdin: str | bytes = "", **variables: str) -> tuple[int, str, str]:
    """Run a command to completion and return (exit code, stdout, stderr)."""
    async with start_command(home, *args, **variables) as process, asyncio.timeout(TIMEOUT):
        output, errors = await process.communicate(stdin.encode() if isinstance(stdin, str) else stdin)
        assert process.returncode is not None
        return process.returncode, output.decode(), errors.decode()


async def read_line(process: asyncio.subprocess.Process) -> str:
    """Return the next output line of a command."""
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT):
        return (await process.stdout.readline()).decode()
