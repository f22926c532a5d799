"""Commands of `chat-tui` in real processes with pipes."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.environment import program_environment

TIMEOUT = 20.0
"""Timeout of a single wait, in seconds."""


@asynccontextmanager
async def start_command(home: Path, *args: str, **variables: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a command within the block, with pipes as its standard streams and additional environment variables."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui_chat", *args),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=program_environment(home, **variables),
    )
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
