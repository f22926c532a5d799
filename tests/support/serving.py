"""A real server in this process, on a free port, with a database file of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from server.config import Settings
from server.runtime import Running, serve


@asynccontextmanager
async def serving(folder: Path, **settings: Any) -> AsyncGenerator[Running]:
    """A server whose database is in `folder`; any setting can be given."""
    values: dict[str, Any] = {"port": 0, "database": str(folder / "chat.db"), **settings}
    async with serve(Settings(**values)) as running:
        yield running
