"""A plain Socket.IO server on Node.js, of the kind that people have: it keeps nothing and acknowledges nothing."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.requirements import JAVASCRIPT, need_node


class PlainServer:
    """Drives the server and keeps what it was sent.

    Attributes:
        port: Where it listens.
        heard: Each event that a client sent, with its arguments, in order.
    """

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port
        self.heard: list[tuple[str, list[Any]]] = []

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    def said(self) -> list[str]:
        """The text of each message that it was sent."""
        return [args[0]["message"] for event, args in self.heard if event == "sendMessage"]

    def manner(self, **how: Any) -> None:
        """Behave like this: `announces` who joins, `echoes` to the sender, `answers` a join with something."""
        self._tell({"do": "manner", "set": how})

    def push(self, event: str, body: Any) -> None:
        """Send everybody this."""
        self._tell({"do": "push", "event": event, "body": body})

    def cut(self) -> None:
        """End every connection."""
        self._tell({"do": "cut"})

    def _tell(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def listen(self) -> None:
        """Keep what the process tells, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            self.heard.append((told["event"], told["args"]))


@asynccontextmanager
async def plain_server(version: str = "4.8.4", *, port: int = 0) -> AsyncGenerator[PlainServer]:
    """A server of this version of socket.io, at this port or a free one."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        need_node(), str(JAVASCRIPT / "server.mjs"), version, str(port), stdin=pipe, stdout=pipe, limit=1 << 20
    )
    assert process.stdin is not None
    assert process.stdout is not None
    server = PlainServer(process, json.loads(await process.stdout.readline())["port"])
    listening = asyncio.create_task(server.listen())
    try:
        yield server
    finally:
        process.stdin.close()
        await process.wait()
        await listening
