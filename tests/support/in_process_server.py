"""Real server in the test process, with a free port and a database file."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from server.app import RunningServer, serve
from server.settings import ServerSettings


@asynccontextmanager
async def running_server(directory: Path, **settings: Any) -> AsyncGenerator[RunningServer]:
    """Run a server with its database in `directory`; `settings` override the defaults."""
    values: dict[str, Any] = {"port": 0, "database": str(directory / "chat.db"), **settings}
    async with serve(ServerSettings(**values)) as running:
        yield running
