"""Basic Socket.IO server on Node.js: no history and no acknowledgements."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node


class BasicNodeServer:
    """Controller of the server process.

    Attributes:
        port: TCP port of the server.
        received: (event, arguments) of each client event, in order.
    """

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port
        self.received: list[tuple[str, list[Any]]] = []

    @property
    def url(self) -> str:
        """Base URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    def received_texts(self) -> list[str]:
        """Return the text of each received message."""
        return [args[0]["message"] for event, args in self.received if event == "sendMessage"]

    def configure(self, **behavior: Any) -> None:
        """Change the behaviour of the server.

        Args:
            behavior: `announces`: send a notice about each join. `announcement`: text of the notice. `echoes`: send
                messages to the sender too. `answers`: acknowledgement of joins.
        """
        self._send_command({"do": "configure", "set": behavior})

    def push(self, event: str, body: Any) -> None:
        """Send an event to all clients."""
        self._send_command({"do": "push", "event": event, "body": body})

    def disconnect_all(self) -> None:
        """Close all connections."""
        self._send_command({"do": "disconnectAll"})

    def _send_command(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def read_output(self) -> None:
        """Record the reports of the process until its exit."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            report = json.loads(line)
            self.received.append((report["event"], report["args"]))


@asynccontextmanager
async def basic_node_server(version: str = "4.8.4", *, port: int = 0) -> AsyncGenerator[BasicNodeServer]:
    """Run a server with a version of socket.io, on `port` or a free port."""
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
