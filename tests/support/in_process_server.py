"""Real server in the test process, with a free port and a database file."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.app import RunningServer, serve
from server.settings import ServerSettings


@asynccontextmanager
async def running_server(directory: Path, **options: Any) -> AsyncGenerator[RunningServer]:
    """Run a server with its database in `directory`.

    Args:
        directory: Directory of the database, created if missing.
        options: Settings that override the defaults, and the clocks `now` and `monotonic` of `server.app.serve`.
    """
    clocks = {name: options.pop(name) for name in ("now", "monotonic") if name in options}
    values: dict[str, Any] = {"port": 0, "database": str(directory / "chat.db"), **options}
    async with serve(ServerSettings(**values), **clocks) as running:
        yield running


@dataclass(frozen=True)
class StoppableServer:
    """Server that can stop while its context is open.

    Attributes:
        url: URL of the server.
        port: Port of the server.
        stop: Event that starts the shutdown.
        task: Task that ends after the shutdown.
    """

    url: str
    port: int
    stop: asyncio.Event
    task: "asyncio.Task[None]"


@asynccontextmanager
async def stoppable_server(directory: Path, **options: Any) -> AsyncGenerator[StoppableServer]:
    """Run a server until `stop` is set or the context exits; the exit waits for the end of the shutdown.

    The arguments are those of `running_server`.
    """
    stop = asyncio.Event()
    started: asyncio.Future[RunningServer] = asyncio.get_running_loop().create_future()

    async def serve_until_stopped() -> None:
        async with running_server(directory, **options) as server:
            started.set_result(server)
            await stop.wait()

    task = asyncio.create_task(serve_until_stopped())
    await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task  # raises the error of the start
    server = await started
    try:
        yield StoppableServer(server.url, server.port, stop, task)
    finally:
        stop.set()
        await task
