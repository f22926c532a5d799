"""Local server: a `chat-server` process with the lifetime of the client, and the URLs of local servers.

- Isolation: `-P` keeps the working directory out of the import path, so a `server.py` there is never started. Signals
  of the terminal do not reach the process.
- Lifetime: the server stops when its standard input ends, also after a crash of the client.
- Streams: standard output carries one JSON line at the start, `{"url"}` or `{"error", "code"}`. Standard error is
  appended to the log file of the client.
"""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from tui_chat.logging import log_path
from tui_chat.session import error_text
from tui_chat.session.i18n import tr

log = logging.getLogger("chat.local_server")

SERVICE_NAME = "chat-server"
"""Value of `service` in the response to `GET /health`."""

SERVER_COMMAND = (sys.executable, "-P", "-m", "server", "--managed")
"""Command line of the server, without address and port."""

STOP_TIMEOUT = 6.0
"""Maximum duration of a graceful shutdown, in seconds."""


class LocalServerError(Exception):
    """Failure to start a local server; the message is a sentence for the user."""


class LocalServer:
    """Handle of at most one server process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, host: str, port: int) -> str:
        """Start a server and wait until the socket listens.

        All other settings come from the environment (`CHAT_…`), as for `chat-server`. Call `close` before a second
        start.

        Args:
            host: Listen address.
            port: TCP port; 0 selects a free one.

        Returns:
            The server's base URL for clients on this machine.

        Raises:
            LocalServerError: The server failed to start.
        """
        report = await asyncio.to_thread(self._spawn, host, port)
        if "url" in report:
            return report["url"]
        self.close()
        raise LocalServerError(
            tr("{address} is in use by another program.", address=f"{host}:{port}")
            if report.get("code") == "portInUse"
            else error_text.sentence(report["error"])
        )

    def _spawn(self, host: str, port: int) -> dict[str, str]:
        """Start the process, and return its start report."""
        with _open_log() as errors:
            self._process = process = subprocess.Popen(
                (*SERVER_COMMAND, "--host", host, "--port", str(port)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        return json.loads(line) if line else {"error": f"the server failed to start; see {log_path()}"}

    def close(self) -> None:
        """Stop the server gracefully and wait for its exit; after `STOP_TIMEOUT` seconds, kill the process.

        Idempotent; no effect before `start`.
        """
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.communicate(timeout=STOP_TIMEOUT)  # closes standard input
        except subprocess.TimeoutExpired:
            log.error("shutdown of the local server timed out after %s s; killing the process", STOP_TIMEOUT)
            process.kill()
            process.communicate()


async def start_or_join(server: LocalServer, host: str, port: int) -> tuple[str, list[str]]:
    """Start a server, or use a chat server that already listens on the port.

    Args:
        server: Idle handle; stays idle if another server is used.
        host: Listen address.
        port: TCP port; 0 selects a free one.

    Returns:
        Base URL of the server, and status lines for the user.

    Raises:
        LocalServerError: The server failed to start, and no chat server listens on the port.
    """
    try:
        url = await server.start(host, port)
    except LocalServerError:  # the port, or the lock of the database, belongs to the other server
        url = local_url(host, port)
        if not await is_chat_server(url):
            raise
        return url, [tr("Joined the chat server that already runs there.")]
    return url, join_instructions(host, port, url)


async def is_chat_server(url: str) -> bool:
    """Return whether `GET /health` at this base URL identifies a chat-server.

    False also for an unreachable server; the request takes at most 2 seconds.
    """
    import aiohttp  # noqa: PLC0415 (network library, needed only if the port is in use)

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2.0), trust_env=False) as http,
            http.get(f"{url}/health") as response,
        ):
            body: object = await response.json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
    return isinstance(body, dict) and body.get("service") == SERVICE_NAME  # type: ignore[reportUnknownMemberType]


def local_url(host: str, port: int) -> str:
    """Return the base URL of a server on `host` for clients on this machine."""
    return _build_url({"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host), port)


def network_urls(host: str, port: int) -> list[str]:
    """Return the base URLs of a server on `host` for other machines, an empty list for loopback.

    For a wildcard address, the list contains the IPv4 address of the default route, if any.
    """
    addresses = _outbound_addresses() if host in ("0.0.0.0", "::", "") else [host]
    return [
        _build_url(address, port)
        for address in addresses
        if address not in ("localhost", "::1") and not address.startswith("127.")
    ]


def join_instructions(host: str, port: int, url: str) -> list[str]:
    """Return the lines with the commands that join a local server from other terminals.

    Without a network address, a second line states that only this machine can connect.
    """
    urls = network_urls(host, port)
    commands = [f"  chat-tui {join_url}" for join_url in urls or [url]]
    hint = tr("Only this computer can connect. To allow the network, start with --serve --host 0.0.0.0")
    return ["\n".join((tr("Server started. Others join with:"), *commands)), *([] if urls else [hint])]


def _open_log() -> IO[bytes]:
    """Open the log file of the client for appending, or the null device if the file is not writable."""
    with suppress(OSError):
        log_path().parent.mkdir(parents=True, exist_ok=True)
        return log_path().open("ab")
    return Path(os.devnull).open("wb")


def _outbound_addresses() -> list[str]:
    # A connected datagram socket sends no packet but selects the outbound interface.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737)
        return [probe.getsockname()[0]]
    return []


def _build_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
