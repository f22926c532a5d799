"""Control socket of a server: commands of the operator as lines of JSON.

- Access: the socket has mode 0600, in a directory with mode 0700.
- Protocol: a request is one line `{"command": …}`. The response is one line, `{"ok": true, …}` or
  `{"ok": false, "error": …}`. A connection carries any number of requests, and stays open until
  the client closes it or the server exits. A line above 64 KiB closes the connection after its error.
- Long commands: an empty line follows each second until the response. The end of the connection cancels the command.
- Names: each socket gets its random name after it listens. A refused connection therefore belongs to a server that has
  exited, and the removal of a stale socket never removes the socket of another server.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from tui_chat.standard_streams import EXIT_USAGE_ERROR

log = logging.getLogger("chat.control")

ControlHandler = Callable[[Mapping[str, Any]], Coroutine[Any, Any, dict[str, Any]]]
"""Handler of one command: receives the request and returns the fields of the response, without `ok`.

The message of a raised `ControlError` or `msgspec.DecodeError` is the error of the response. Other exceptions are
logged, and the response contains a general error.
"""

SOCKET_SUFFIX = ".sock"

REPUBLISH_INTERVAL = 30.0
"""Seconds between two checks of the socket file."""

KEEPALIVE_INTERVAL = 1.0
"""Seconds between two empty lines during a command."""


class ControlError(Exception):
    """Failure of a command.

    Args:
        message: One line for the operator.

    Attributes:
        exit_code: Exit code of the program.
    """

    def __init__(self, message: str, exit_code: int = EXIT_USAGE_ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def socket_directories() -> list[Path]:
    """Return the directories of control sockets in order of preference; they may not exist.

    The directories are `$XDG_RUNTIME_DIR/tui-chat`, if the variable is set, and `run` in the user state directory.
    """
    runtime_dir = os.environ.get("XDG_RUNTIME_DIR")
    state_dir = platformdirs.user_state_path("tui-chat", appauthor=False) / "run"
    return [*([Path(runtime_dir) / "tui-chat"] if runtime_dir else []), state_dir]


def supports_control_sockets() -> bool:
    """Return whether this system has Unix sockets."""
    return hasattr(socket, "AF_UNIX")


@asynccontextmanager
async def serve_control_socket(handlers: Mapping[str, ControlHandler]) -> AsyncGenerator[None]:
    """Accept commands within the context.

    A failure to create the socket is logged and not raised, because the server works without the socket. Every
    `REPUBLISH_INTERVAL`, a missing socket is created again, under another name. The socket is removed after the
    context; open connections stay open.
    """
    control_socket = _ControlSocket(handlers)
    republish_task = asyncio.create_task(control_socket.republish())
    try:
        await control_socket.publish()
        yield
    finally:
        republish_task.cancel()
        control_socket.withdraw()


class _ControlSocket:
    """Listening socket in the file system."""

    def __init__(self, handlers: Mapping[str, ControlHandler]) -> None:
        self._handlers = handlers
        self._path: Path | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._failure_logged = False

    async def publish(self) -> None:
        """Listen in the first usable directory; of successive failures, only the first is logged.

        After a cancellation, `withdraw` removes the socket.
        """
        try:
            path, listener = _open_listener()
        except OSError as error:
            if not self._failure_logged:
                log.warning("control socket not created: %s; status and stop cannot find this server", error)
            self._failure_logged = True
        else:
            self._failure_logged = False
            # Without `start_serving`, the call does not suspend, so that a cancellation cannot lose the server.
            server = await asyncio.start_unix_server(self._accept, sock=listener, start_serving=False)
            self._path, self._server = path, server
            await server.start_serving()

    async def republish(self) -> None:
        """Publish the socket again after a failure or the removal of its file, until cancelled.

        A runtime directory is removed at the last logout of its user. A file that cannot be checked counts as present.
        An unexpected exception is logged.
        """
        while True:
            await asyncio.sleep(REPUBLISH_INTERVAL)
            try:
                if self._path is None or not self._path.exists():
                    self.withdraw()
                    await self.publish()
            except OSError:  # the file cannot be checked
                pass
            except Exception:
                log.exception("check of the control socket failed, retrying in %g seconds", REPUBLISH_INTERVAL)

    def withdraw(self) -> None:
        """Remove the socket, if published. Open connections stay open."""
        path, server, self._path, self._server = self._path, self._server, None, None
        if path is not None and server is not None:
            with suppress(OSError):
                path.unlink()
            server.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Python 3.11 logs the cancellation of tasks that `start_unix_server` creates itself.
        task = asyncio.get_running_loop().create_task(_serve_connection(self._handlers, reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)


def _open_listener() -> tuple[Path, socket.socket]:
    """Return the path and the listening socket, in the first usable directory.

    Raises:
        OSError: The system has no Unix sockets, or the last directory is unusable too.
    """
    if not supports_control_sockets():
        raise OSError("this system has no Unix sockets")
    *preferred, fallback = socket_directories()
    for directory in preferred:
        with suppress(OSError):
            return _open_listener_in(directory)
    return _open_listener_in(fallback)


def _open_listener_in(directory: Path) -> tuple[Path, socket.socket]:
    """Return the path and the listening socket in a directory.

    A missing directory is created, and an existing one is changed to mode 0700.

    Raises:
        OSError: The directory is unusable.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    path = directory / f"{secrets.token_hex(4)}{SOCKET_SUFFIX}"
    temporary_path = path.with_suffix("")
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(temporary_path))
        temporary_path.chmod(0o600)
        listener.listen()
        temporary_path.rename(path)
    except OSError:
        listener.close()
        temporary_path.unlink(missing_ok=True)
        raise
    return path, listener


async def _serve_connection(
    handlers: Mapping[str, ControlHandler], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the requests of a connection in order, until the client closes it or sends a line that is too long."""
    with closing(writer), suppress(ConnectionError):
        try:
            while line := await reader.readline():
                response = await _keep_alive(_handle_request(handlers, line), writer)
                writer.write(msgspec.json.encode(response) + b"\n")
                await writer.drain()
        except ValueError:  # a line above the limit of the reader
            writer.write(msgspec.json.encode({"ok": False, "error": "the request is too long"}) + b"\n")
            await writer.drain()


async def _keep_alive(command: Coroutine[Any, Any, dict[str, Any]], writer: asyncio.StreamWriter) -> dict[str, Any]:
    """Run a command and return its result; write an empty line each second until then.

    Raises:
        ConnectionError: The connection has ended; the command is cancelled.
    """
    task = asyncio.create_task(command)
    try:
        while not (await asyncio.wait({task}, timeout=KEEPALIVE_INTERVAL))[0]:
            writer.write(b"\n")
            await writer.drain()
        return task.result()
    finally:
        task.cancel()


async def _handle_request(handlers: Mapping[str, ControlHandler], line: bytes) -> dict[str, Any]:
    """Return the response to a request line.

    An unknown command and invalid JSON are errors of the response, as are the errors of a handler (`ControlHandler`).
    """
    name = None
    try:
        request = msgspec.json.decode(line, type=dict[str, Any])
        name = request.get("command")
        if not isinstance(name, str) or name not in handlers:
            raise ControlError(f"unknown command {name!r}")
        return {"ok": True, **await handlers[name](request)}
    except (ControlError, msgspec.DecodeError, UnicodeDecodeError) as error:
        return {"ok": False, "error": str(error)}
    except Exception:
        log.exception("control command %r failed with an internal error", name)
        return {"ok": False, "error": "internal error; see the log of the server"}
