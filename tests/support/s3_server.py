"""S3 server of moto in a process of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import ClientSession

TIMEOUT = 30.0
"""Maximum duration of the start in seconds."""

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
"""Environment variables of a client."""


@asynccontextmanager
async def s3_server(bucket: str) -> AsyncGenerator[str]:
    """Run a server with an empty bucket; yield its URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"),
        stdout=DEVNULL,
        stderr=PIPE,
        env=os.environ | CREDENTIALS,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(TIMEOUT):
            while b"Running on " not in (line := await process.stderr.readline()):
                assert line, "the server ended"
        url = line.decode().split("Running on ")[1].strip()
        async with ClientSession() as session, session.put(f"{url}/{bucket}") as response:
            assert response.status == 200
        drain = asyncio.create_task(process.stderr.read())
        yield url
        drain.cancel()
    finally:
        process.kill()
        await process.wait()
