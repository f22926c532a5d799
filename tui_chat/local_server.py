"""Server embedded in the client process, on its own thread with a TCP socket; URLs of local servers.

- Isolation: the server has its own event loop, so drawing and message handling do not block each other.
- Shutdown: `close` lets the server finish its pending writes before the process ends.
"""

import asyncio
import errno
import logging
import os
import socket
from concurrent.futures import Future
from threading import Thread

import aiohttp

from server.app import RunningServer, StartupError, serve
from server.event_loop import new_event_loop
from server.settings import ConfigError, resolve_settings
from server.storage.database import StorageError
from server.web.routes import SERVICE_NAME
from tui_chat.protocol.errors import Unavailable
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings

log = logging.getLogger("chat.local_server")

STOP_TIMEOUT = 6.0
"""Maximum duration of a graceful shutdown, in seconds."""


class PortInUse(Unavailable):
    """Listen port in use by another program."""


class EmbeddedServer:
    """Server thread that runs from `start` until `close`."""

    def __init__(self, host: str, port: int) -> None:
        """Prepare a server without starting its thread.

        All other settings come from the environment (`CHAT_…`), as for `chat-server`.

        Args:
            host: Listen address.
            port: TCP port; 0 selects a free one.
        """
        self._host = host
        self._port = port
        self._startup: Future[RunningServer] = Future()
        self._stop_requested = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = Thread(target=self._run, name="chat-server", daemon=True)

    async def start(self) -> str:
        """Start the server thread and wait until the socket listens.

        Can be called only once.

        Returns:
            The server's base URL for clients on this machine.

        Raises:
            PortInUse: The port belongs to another program.
            Unavailable: The server failed to start for any other reason.
        """
        self._thread.start()
        try:
            return (await asyncio.wrap_future(self._startup)).url
        except StartupError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE:
                raise PortInUse(chat_strings.port_in_use(f"{self._host}:{self._port}")) from error
            raise Unavailable(str(error)) from error
        except (StorageError, ConfigError) as error:
            raise Unavailable(str(error)) from error

    def close(self) -> None:
        """Stop the server gracefully and block until its thread ends, at most `STOP_TIMEOUT` seconds.

        Idempotent. No effect before `start`. After the time limit, the thread is abandoned.
        """
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop_requested.set)
            self._thread.join(STOP_TIMEOUT)
            if self._thread.is_alive():
                log.error("shutdown of the embedded server timed out after %s s; abandoning its thread", STOP_TIMEOUT)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                self._loop = runner.get_loop()
                runner.run(self._serve())
        except Exception as error:
            if not self._startup.done():
                self._startup.set_exception(error)
            else:
                log.exception("embedded server crashed; its clients are disconnected")

    async def _serve(self) -> None:
        settings = resolve_settings({"host": self._host, "port": self._port}, os.environ, None).settings
        async with serve(settings) as running:
            self._startup.set_result(running)
            await self._stop_requested.wait()


async def is_chat_server(url: str) -> bool:
    """Return whether `GET /health` at this base URL identifies a chat-server.

    False also for an unreachable server; the request takes at most 2 seconds.
    """
    timeout = aiohttp.ClientTimeout(total=2.0)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as http,
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
    if host not in ("0.0.0.0", "::", ""):
        is_loopback = host == "localhost" or host.startswith("127.") or host == "::1"
        return [] if is_loopback else [_build_url(host, port)]
    return [_build_url(address, port) for address in _outbound_addresses()]


def join_instructions(host: str, port: int, url: str) -> list[str]:
    """Return the lines with the commands that join a local server from other terminals.

    Without a network address, a second line states that only this machine can connect.
    """
    urls = network_urls(host, port)
    lines = [chat_strings.join_commands([f"chat-tui {join_url}" for join_url in urls or [url]])]
    return lines if urls else [*lines, tr(chat_strings.LOCAL_ONLY)]


def _outbound_addresses() -> list[str]:
    # A connected datagram socket sends no packet but selects the outbound interface.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737)
        except OSError:
            return []
        address: str = probe.getsockname()[0]
        return [] if address.startswith("127.") else [address]


def _build_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
