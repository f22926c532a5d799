"""A real server in this process, on a free port, with a database file of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from server.app import RunningServer, serve
from server.settings import ServerSettings


@asynccontextmanager
async def running_server(directory: Path, **settings: Any) -> AsyncGenerator[RunningServer]:
    """A server whose database is in `folder`; any setting can be given."""
    values: dict[str, Any] = {"port": 0, "database": str(directory / "chat.db"), **settings}
    async with serve(ServerSettings(**values)) as running:
        yield running
