"""A real socket.io-client in a Node.js process of its own."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node

TIMEOUT = 20.0
"""Seconds after which something that was waited for is called missing."""


class JavaScriptClient:
    """Drives the client and keeps everything it told, in order.

    Attributes:
        told: What the client's process wrote, parsed.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._request_ids = itertools.count(1)
        self._report_added = asyncio.Condition()
        self.reports: list[dict[str, Any]] = []

    async def connect(self, url: str, **options: Any) -> None:
        """Connect and wait until the server let the client in."""
        self.send_command({"do": "connect", "url": url, "options": options})
        await self.wait_until(lambda: self.reports_of("connect"))

    def send_command(self, command: dict[str, Any]) -> None:
        """Give the process a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    def emit(self, event: str, *args: Any) -> None:
        """Send an event without asking for an acknowledgement."""
        self.send_command({"do": "emit", "event": event, "args": args})

    async def request(self, event: str, *args: Any) -> Any:
        """Send an event and wait for its acknowledgement's one argument."""
        request_id = next(self._request_ids)
        self.send_command({"do": "emit", "event": event, "args": args, "id": request_id})
        responses: list[Any] = []

        def has_response() -> bool:
            responses[:] = [
                what["answer"] for what in self.reports if what["on"] == "answer" and what["id"] == request_id
            ]
            return bool(responses)

        await self.wait_until(has_response)
        return responses[0][0]

    def disconnect(self) -> None:
        """Leave."""
        self.send_command({"do": "disconnect"})

    def reports_of(self, kind: str) -> list[dict[str, Any]]:
        """Everything of one kind that the client told."""
        return [told for told in self.reports if told["on"] == kind]

    def event_payloads(self, name: str) -> list[Any]:
        """The first argument of every event of this name."""
        return [told["args"][0] for told in self.reports_of("event") if told["event"] == name]

    async def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds for what was told so far."""
        async with self._report_added, asyncio.timeout(TIMEOUT):
            await self._report_added.wait_for(lambda: bool(condition()))

    async def read_output(self) -> None:
        """Keep what the process tells, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            async with self._report_added:
                self.reports.append(json.loads(line))
                self._report_added.notify_all()


@asynccontextmanager
async def javascript_client(version: str) -> AsyncGenerator[JavaScriptClient]:
    """A client of this version ("4.8.4"), not yet connected."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        require_node(), str(JAVASCRIPT_DIRECTORY / "client.mjs"), version, stdin=pipe, stdout=pipe, limit=1 << 20
    )
    client = JavaScriptClient(process)
    reader_task = asyncio.create_task(client.read_output())
    try:
        yield client
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await reader_task
