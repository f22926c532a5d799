"""Basic Socket.IO server on Node.js: no history and no acknowledgements."""

import json
import os
import select
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.requirements import JAVASCRIPT_DIRECTORY, require_node
from tests.support.wait import TIMEOUT


class BasicNodeServer:
    """Server process, independent of an event loop.

    Args:
        version: Version of socket.io.
        port: TCP port, 0 for a free one.

    Attributes:
        port: TCP port of the server.
    """

    def __init__(self, version: str = "4.8.4", port: int = 0) -> None:
        self._process = subprocess.Popen(
            (require_node(), str(JAVASCRIPT_DIRECTORY / "server.mjs"), version, str(port)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._unread = b""
        self._received: list[tuple[str, list[Any]]] = []
        self.port: int = self._read_report()["port"]

    @property
    def url(self) -> str:
        """Base URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def received(self) -> list[tuple[str, list[Any]]]:
        """(event, arguments) of each client event, in order; complete up to the last event with a response."""
        while self._has_report(0):
            self._record_event(self._read_report())
        return self._received

    def received_texts(self) -> list[str]:
        """Return the text of each received message."""
        return [args[0]["message"] for event, args in self.received if event == "sendMessage"]

    def configure(self, **behavior: Any) -> None:
        """Change the behavior of the server for all later events.

        Args:
            behavior: `announces`: send a notice about each join. `announcement`: text of the notice. `echoes`: send
                messages to the sender too. `ack`: acknowledgement of joins.
        """
        self._send_command({"do": "configure", "set": behavior})
        while (report := self._read_report()) != {"on": "configured"}:
            self._record_event(report)

    def push(self, event: str, body: Any) -> None:
        """Send an event to all clients."""
        self._send_command({"do": "push", "event": event, "body": body})

    def disconnect_all(self) -> None:
        """Close all connections."""
        self._send_command({"do": "disconnectAll"})

    def reset(self) -> None:
        """Close all connections, restore the initial behavior and forget the received events."""
        self._send_command({"do": "reset"})
        while self._read_report() != {"on": "reset"}:
            pass
        self._received.clear()

    def close(self) -> None:
        """Stop the process."""
        self._process.communicate()  # ends its input

    def _record_event(self, report: dict[str, Any]) -> None:
        self._received.append((report["event"], report["args"]))

    def _send_command(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    def _has_report(self, timeout: float) -> bool:
        """Read the output until it contains a complete report; return False after a timeout without further output."""
        assert self._process.stdout is not None
        while b"\n" not in self._unread:
            if not select.select([self._process.stdout], [], [], timeout)[0]:
                return False
            data = os.read(self._process.stdout.fileno(), 65_536)
            assert data, "the server has ended"
            self._unread += data
        return True

    def _read_report(self) -> dict[str, Any]:
        assert self._has_report(TIMEOUT), "no report of the server"
        line, _, self._unread = self._unread.partition(b"\n")
        return json.loads(line)


@asynccontextmanager
async def basic_node_server(version: str = "4.8.4", *, port: int = 0) -> AsyncGenerator[BasicNodeServer]:
    """Run a server with a version of socket.io within the block, on `port` or a free port."""
    server = BasicNodeServer(version, port)
    try:
        yield server
    finally:
        server.close()
