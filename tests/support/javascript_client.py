"""Driver of a real socket.io-client in a Node.js process."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node

TIMEOUT = 20.0
"""Timeout of a single wait, in seconds."""


class JavaScriptClient:
    """Controller of the client process.

    Attributes:
        reports: Parsed reports of the process, in order.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._request_ids = itertools.count(1)
        self._report_added = asyncio.Condition()
        self.reports: list[dict[str, Any]] = []

    async def connect(self, url: str, **options: Any) -> None:
        """Connect and wait for the success."""
        self.send_command({"do": "connect", "url": url, "options": options})
        await self.wait_until(lambda: self.reports_of("connect"))

    def send_command(self, command: dict[str, Any]) -> None:
        """Send a command to the process."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    def emit(self, event: str, *args: Any) -> None:
        """Send an event, unacknowledged."""
        self.send_command({"do": "emit", "event": event, "args": args})

    async def request(self, event: str, *args: Any) -> Any:
        """Send an event and return the argument of its acknowledgement."""
        request_id = next(self._request_ids)
        self.send_command({"do": "emit", "event": event, "args": args, "id": request_id})
        responses: list[Any] = []

        def has_response() -> bool:
            responses[:] = [
                report["answer"] for report in self.reports if report["on"] == "answer" and report["id"] == request_id
            ]
            return bool(responses)

        await self.wait_until(has_response)
        return responses[0][0]

    def disconnect(self) -> None:
        """Disconnect from the server."""
        self.send_command({"do": "disconnect"})

    def reports_of(self, kind: str) -> list[dict[str, Any]]:
        """Return the reports of one kind."""
        return [report for report in self.reports if report["on"] == kind]

    def event_payloads(self, name: str) -> list[Any]:
        """Return the first argument of each received event with a name."""
        return [report["args"][0] for report in self.reports_of("event") if report["event"] == name]

    async def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` is true; the check runs after each report."""
        async with self._report_added, asyncio.timeout(TIMEOUT):
            await self._report_added.wait_for(lambda: bool(condition()))

    async def read_output(self) -> None:
        """Record the reports of the process until its exit."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            async with self._report_added:
                self.reports.append(json.loads(line))
                self._report_added.notify_all()


@asynccontextmanager
async def javascript_client(version: str) -> AsyncGenerator[JavaScriptClient]:
    """Run an unconnected client with a version of socket.io-client, such as "4.8.4"."""
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
