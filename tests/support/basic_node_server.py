"""A plain Socket.IO server on Node.js, of the kind that people have: it keeps nothing and acknowledges nothing."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node


class BasicNodeServer:
    """Drives the server and keeps what it was sent.

    Attributes:
        port: Where it listens.
        heard: Each event that a client sent, with its arguments, in order.
    """

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port
        self.received: list[tuple[str, list[Any]]] = []

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"

    def received_texts(self) -> list[str]:
        """The text of each message that it was sent."""
        return [args[0]["message"] for event, args in self.received if event == "sendMessage"]

    def configure(self, **behavior: Any) -> None:
        """Behave like this: `announces` who joins, `echoes` to the sender, `answers` a join with something."""
        self._send_command({"do": "manner", "set": behavior})

    def push(self, event: str, body: Any) -> None:
        """Send everybody this."""
        self._send_command({"do": "push", "event": event, "body": body})

    def disconnect_all(self) -> None:
        """End every connection."""
        self._send_command({"do": "cut"})

    def _send_command(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def read_output(self) -> None:
        """Keep what the process tells, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            report = json.loads(line)
            self.received.append((report["event"], report["args"]))


@asynccontextmanager
async def basic_node_server(version: str = "4.8.4", *, port: int = 0) -> AsyncGenerator[BasicNodeServer]:
    """A server of this version of socket.io, at this port or a free one."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        require_node(),
        str(JAVASCRIPT_DIRECTORY / "server.mjs"),
        version,
        str(port),
        stdin=pipe,
        stdout=pipe,
        limit=1 << 20,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    server = BasicNodeServer(process, json.loads(await process.stdout.readline())["port"])
    reader_task = asyncio.create_task(server.read_output())
    try:
        yield server
    finally:
        process.stdin.close()
        await process.wait()
        await reader_task
