"""Local server: one `chat-server` process for all clients on this machine, and its URLs.

- Isolation: `-P` keeps the working directory out of the import path, so a `server.py` there is never started. The
  process has its own session and none of the standard streams of the client.
- Lifetime: the server outlives the client, and stops after `CHAT_EXIT_WHEN_IDLE` seconds without clients. The client
  that started the server counts as one, even in the join form, until this client closes the server's standard input.
- Start report: one JSON line on standard output, `{"url"}` or `{"error", "code"}`, with `runningUrl` if another server
  uses the database. The log goes to `server_log_path()`.
- Commands: `python -m server status` and `stop` reach a running server, so that one program implements the client of
  the control socket.
"""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread, Timer
from typing import Any
from urllib.parse import urlsplit

from tui_chat.argument_parser import shown_command
from tui_chat.client.net.basic_codec import is_native_health
from tui_chat.logging import log_path
from tui_chat.session import error_text
from tui_chat.session.i18n import plural, tr

log = logging.getLogger("chat.local_server")

SERVER_COMMAND = (sys.executable, "-P", "-m", "server")
"""Command line of `chat-server` with the interpreter of the client."""

IDLE_TIMEOUT = 60
"""Seconds from the disconnect of the last client to the end of a local server."""

MAX_LOG_BYTES = 1_000_000
"""Size in bytes above which the log file of a local server is renamed to `.1`."""

STOP_CONFIRM_WINDOW = 30.0
"""Seconds within which a second request stops a server with other clients."""

# On Windows, the counterpart of a new session.
_CREATION_FLAGS = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
_START_TIMEOUT = 15.0  # seconds to wait for another server with the same database, which starts or stops
_REPORT_TIMEOUT = 120.0  # seconds to wait for a start report, which a migration of the database delays
_RETRY_DELAY = 0.3  # seconds between two attempts
_COMMAND_TIMEOUT = 20.0  # seconds; above the longest shutdown of a server


class LocalServerError(Exception):
    """Failure to start or to reach a local server; the message is a sentence for the user.

    Attributes:
        code: Code of the start report (docs/operating.md, "Managed process").
        running_url: URL of the server that uses the same database, empty if unknown.
    """

    def __init__(self, message: str, code: str = "startFailed", running_url: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.running_url = running_url


def server_log_path() -> Path:
    """Return the platform's default path of the log file of local servers."""
    return log_path().with_name("chat-server.log")


class LocalServer:
    """Local server that this client has started or joined.

    Attributes:
        url: Base URL, empty without a server.
    """

    def __init__(self) -> None:
        self.url = ""
        self._host = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._stop_confirmation: tuple[int | None, float] = (None, 0.0)  # port of the server and end of the window

    async def start_or_join(self, host: str, port: int) -> list[str]:
        """Start a server, or join the one that uses the same database or listens on the port; set `url`.

        A server that uses the database is joined at its own address, and awaited for up to 15 seconds if not responding
        yet. Of simultaneous calls, including those of other clients, one starts the server and the others join it.

        Args:
            host: Listen address.
            port: TCP port; 0 selects a free one.

        Returns:
            Status texts for the user, possibly of several lines each: `join_instructions`, or the joined URL.

        Raises:
            LocalServerError: The server failed to start, and no chat server to join responds.
        """
        self._host = host
        deadline = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                return await self._start_or_join_once(host, port)
            except LocalServerError as error:
                if error.code != "databaseInUse" or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_RETRY_DELAY)

    async def _start_or_join_once(self, host: str, port: int) -> list[str]:
        """Make one attempt of `start_or_join`, which joins a server at the reported or else the given address."""
        try:
            return join_instructions(host, port, await self.start(host, port))
        except LocalServerError as error:
            url = error.running_url or base_url(host, port)
            if not await is_chat_server(url):
                raise
            self.url = url
            return [tr("Joined the server that already runs at {url}.", url=url)]

    async def restart(self) -> None:
        """Repeat `start_or_join` with the port of `url`, after the end of the server; `url` may change.

        Raises as `start_or_join`.
        """
        await self.start_or_join(self._host, urlsplit(self.url).port or 0)

    async def start(self, host: str, port: int) -> str:
        """Start a server, wait until the socket listens, set `url`, and return the URL for clients on this machine.

        A previous server is released as by `close`; a failure does not change `url`. All other settings come from the
        environment (`CHAT_…`), as for `chat-server`. On a loopback address, registration is open by default, because
        only users of this machine can connect. Arguments as for `start_or_join`.

        Raises:
            LocalServerError: The server failed to start.
        """
        report = await asyncio.to_thread(self._spawn, host, port)
        if "url" in report:
            self.url = report["url"]
            return self.url
        self.close()
        code, running_url = report["code"], report.get("runningUrl", "")
        if code == "portInUse":
            message = tr("{address} is in use by another program.", address=f"{host}:{port}")
        else:
            message = error_text.sentence(report["error"])
        raise LocalServerError(message, code, running_url)

    def _spawn(self, host: str, port: int) -> dict[str, str]:
        """Release a previous server, start the process, and return its start report.

        An unwritable log file, a failed start, and an end of the process without a report give a report with `error`
        and `code`. A process without a report after `_REPORT_TIMEOUT` is killed. Variables of the environment precede
        the settings of this client.
        """
        self.close()
        path = server_log_path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            errors = path.open("ab")
        except OSError as error:
            return _start_failure(error)
        defaults = {
            "CHAT_EXIT_WHEN_IDLE": str(IDLE_TIMEOUT),
            "CHAT_LOG_FILE": str(path),
            "CHAT_LOG_MAX_BYTES": str(MAX_LOG_BYTES),
        }
        if _is_loopback(host):
            defaults["CHAT_REGISTRATION"] = "open"
        with errors:
            try:
                process = subprocess.Popen(
                    (*SERVER_COMMAND, "--managed", "--host", host, "--port", str(port)),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=defaults | os.environ,
                    start_new_session=True,
                    creationflags=_CREATION_FLAGS,
                )
            except OSError as error:
                return _start_failure(error)
        assert process.stdout is not None
        timer = Timer(_REPORT_TIMEOUT, process.kill)
        timer.start()
        with process.stdout as output:
            line = output.readline()
        timer.cancel()
        Thread(target=process.wait, daemon=True).start()  # the process may end long before this client
        self._process = process
        crash = {"error": tr("the server failed to start; see {path}", path=str(path)), "code": "startFailed"}
        return json.loads(line) if line else crash

    async def stop(self, url: str) -> str:
        """Stop a server of this user on this machine, and wait for the end of its process.

        With other clients, the first call only asks for a second one for this port within `STOP_CONFIRM_WINDOW`.

        Args:
            url: Base URL of the server, to which this client is connected.

        Returns:
            The question for the user; empty after the stop, which clears the attribute `url`.

        Raises:
            LocalServerError: The server is not on this machine, has ended already, belongs to another user, or does
                not stop.
        """
        host = urlsplit(url).hostname or ""
        if url != self.url and host != "0.0.0.0" and not _is_loopback(host):
            raise LocalServerError(tr("/stop-server stops only a server on this computer."))
        port, (confirmed_port, confirm_until) = urlsplit(url).port, self._stop_confirmation
        others = (await _run_command("status", url))["connections"] - 1
        if others > 0 and (port != confirmed_port or time.monotonic() >= confirm_until):
            self._stop_confirmation = (port, time.monotonic() + STOP_CONFIRM_WINDOW)
            return plural(
                "{count:,} other is here. Repeat /stop-server to stop the server.",
                "{count:,} others are here. Repeat /stop-server to stop the server.",
                others,
            )
        await _run_command("stop", url)
        self.close()
        self.url = ""
        return ""

    async def leave(self) -> str:
        """Release the server, as `close`, and count its other clients; call after the disconnection of this client.

        Returns:
            Message about the other clients, for which the server continues; empty without other clients or a server,
            and if the clients cannot be counted, which is logged.
        """
        self.close()
        try:
            others = (await _run_command("status", self.url))["connections"] if self.url else 0
        except LocalServerError as error:
            log.info("clients of the local server not counted: %s", error)
            return ""
        if not others:
            return ""
        return plural(
            "{count:,} other is still here; the server keeps running.",
            "{count:,} others are still here; the server keeps running.",
            others,
        )

    def close(self) -> None:
        """Stop counting as a client of the started server, which ends `IDLE_TIMEOUT` seconds after its last client.

        Idempotent; no effect on a joined server and on `url`.
        """
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()


def _start_failure(error: OSError) -> dict[str, str]:
    """Return the start report of a server whose log file or process cannot be created."""
    return {"error": ": ".join(filter(None, (error.filename, error.strerror))), "code": "startFailed"}


async def _run_command(command: str, url: str) -> dict[str, Any]:
    """Run a command of `chat-server` for the server at the port of `url`, and return the JSON result.

    Raises:
        LocalServerError: The command cannot be started, failed, or ran for longer than `_COMMAND_TIMEOUT`.
    """
    command_line = (*SERVER_COMMAND, command, "--json", "--port", str(urlsplit(url).port))
    try:
        process = await asyncio.to_thread(
            subprocess.run,
            command_line,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_COMMAND_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalServerError(error_text.sentence(str(error))) from error
    if process.returncode:
        raise LocalServerError(error_text.sentence(process.stderr.decode().strip().removeprefix("chat-server: ")))
    return json.loads(process.stdout.splitlines()[0])


async def is_chat_server(url: str) -> bool:
    """Return whether `GET /health` at this base URL identifies a chat-server within 2 seconds."""
    import aiohttp  # noqa: PLC0415 (network library, needed only if the port is in use)

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2.0), trust_env=False) as http,
            http.get(f"{url}/health") as response,
        ):
            return is_native_health(await response.read())
    except (aiohttp.ClientError, TimeoutError):
        return False


def base_url(host: str, port: int) -> str:
    """Return the base URL of a server on `host`, for example `http://[::1]:3000`.

    A wildcard address becomes the loopback address: `0.0.0.0` and 3000 give `http://127.0.0.1:3000`.
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def network_urls(host: str, port: int) -> list[str]:
    """Return the base URLs of a server on `host` for other machines, an empty list for loopback.

    A wildcard address gives the IPv4 address of the default route, if any.
    """
    addresses = _outbound_addresses() if host in ("0.0.0.0", "::", "") else [host]
    return [base_url(address, port) for address in addresses if not _is_loopback(address)]


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def join_instructions(host: str, port: int, url: str) -> list[str]:
    """Return the texts with the commands that join a local server from other terminals.

    The first text has a heading and one line per network URL. Without a network URL, the line has the command of this
    installation for `url`, and a second text states that only this machine can connect.
    """
    urls = network_urls(host, port)
    commands = [f"  chat-tui {join_url}" for join_url in urls] or [f"  {shown_command('chat-tui')} {url}"]
    hint = tr("Only this computer can connect. To allow the network, start with --serve --host 0.0.0.0")
    return ["\n".join((tr("Server started. Others join with:"), *commands)), *([] if urls else [hint])]


def _outbound_addresses() -> list[str]:
    """Return the IPv4 address of the default route, an empty list without a route."""
    # A connected datagram socket sends no packet but selects the outbound interface.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737)
        return [probe.getsockname()[0]]
    return []
