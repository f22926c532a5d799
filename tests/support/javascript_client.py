"""Real socket.io-clients in Node.js.

One process hosts the clients of a test session, because its start takes longer than most conversations.
"""

import asyncio
import itertools
import json
import subprocess
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node
from tests.support.wait import TIMEOUT


class JavaScriptHost:
    """Node.js process that hosts clients. It starts with the first client."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    async def open_control(self) -> tuple[StreamReader, StreamWriter]:
        """Return a connection that controls a new client."""
        if self._directory is None:
            self._directory = self._start()
        return await asyncio.open_unix_connection(_socket_path(self._directory), limit=1 << 20)

    def _start(self) -> tempfile.TemporaryDirectory[str]:
        node = require_node()
        directory = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            (node, str(JAVASCRIPT_DIRECTORY / "client.mjs"), _socket_path(directory)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return directory

    def stop(self) -> None:
        """Stop the process."""
        if self._process is not None and self._directory is not None:
            self._process.communicate()  # ends its input
            self._directory.cleanup()
            self._process = self._directory = None


javascript_host = JavaScriptHost()
"""Host of this process."""


def _socket_path(directory: tempfile.TemporaryDirectory[str]) -> str:
    return str(Path(directory.name) / "control")


class JavaScriptClient:
    """Controller of a client in the host process.

    Attributes:
        reports: Parsed reports of the client, in order.
    """

    def __init__(self, version: str, reader: StreamReader, writer: StreamWriter) -> None:
        self._version = version
        self._reader = reader
        self._writer = writer
        self._request_ids = itertools.count(1)
        self._report_added = asyncio.Condition()
        self.reports: list[dict[str, Any]] = []

    async def connect(self, url: str, **options: Any) -> None:
        """Connect and wait for the success."""
        self.start_connecting(url, **options)
        await self.wait_until(lambda: self.reports_of("connect"))

    def start_connecting(self, url: str, **options: Any) -> None:
        """Connect, without waiting for the result."""
        self._send_command({"do": "connect", "version": self._version, "url": url, "options": options})

    def emit(self, event: str, *args: Any) -> None:
        """Send an event without an acknowledgement."""
        self._send_command({"do": "emit", "event": event, "args": args})

    async def request(self, event: str, *args: Any) -> Any:
        """Send an event and return the first argument of its acknowledgement."""
        request_id = next(self._request_ids)
        self._send_command({"do": "emit", "event": event, "args": args, "id": request_id})
        responses: list[Any] = []

        def has_response() -> bool:
            responses[:] = [
                report["ack"] for report in self.reports if report["on"] == "ack" and report["id"] == request_id
            ]
            return bool(responses)

        await self.wait_until(has_response)
        return responses[0][0]

    def disconnect(self) -> None:
        """Disconnect from the server."""
        self._send_command({"do": "disconnect"})

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

    async def read_reports(self) -> None:
        """Record the reports until the end of the control connection."""
        async for line in self._reader:
            async with self._report_added:
                self.reports.append(json.loads(line))
                self._report_added.notify_all()

    def _send_command(self, command: dict[str, Any]) -> None:
        self._writer.write(json.dumps(command).encode() + b"\n")


@asynccontextmanager
async def javascript_client(version: str) -> AsyncGenerator[JavaScriptClient]:
    """Open an unconnected client with a version of socket.io-client, such as "4.8.4"; disconnect it afterwards."""
    reader, writer = await javascript_host.open_control()
    client = JavaScriptClient(version, reader, writer)
    reader_task = asyncio.create_task(client.read_reports())
    try:
        yield client
    finally:
        writer.write_eof()
        await reader_task
        writer.close()
        await writer.wait_closed()
