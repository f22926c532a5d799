"""Commands `status` and `stop`, and the client of the control sockets of running servers."""

import os
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from server.control_socket import SOCKET_SUFFIX, ControlError, socket_directories, supports_control_sockets
from tui_chat.standard_streams import EXIT_UNAVAILABLE, write_error, write_json, write_output

CONTROL_COMMANDS = ("status", "stop")
"""Names of the commands."""

_RESPONSE_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """Response of a running server.

    Attributes:
        path: Control socket.
        fields: Fields of the `status` response.
    """

    path: Path
    fields: dict[str, Any]

    @property
    def name(self) -> str:
        """Address and process of the server for the operator, for example `http://127.0.0.1:3000 (pid 4711)`."""
        return f"{self.fields['url']} (pid {self.fields['pid']})"


class _StatusFields(msgspec.Struct):
    """Required fields of the `status` response; a server of another version may lack some."""

    version: str
    url: str
    port: int
    pid: int
    uptime: float
    connections: int
    rooms: int
    members: int
    database: str


class _StopFields(msgspec.Struct):
    """Required fields of the `stop` response; `timeout` is the maximum duration of the shutdown in seconds."""

    timeout: float


class ControlConnection:
    """Connection to a control socket.

    Args:
        connection: Connected socket with a timeout for each operation.
        stream: Input of the socket.
    """

    def __init__(self, connection: socket.socket, stream: BinaryIO) -> None:
        self._socket = connection
        self._stream = stream

    def request(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a command and return the fields of the response, without `ok`.

        Raises:
            ControlError: The server rejects the command.
            OSError: The connection is closed, or the server is silent until the timeout (`TimeoutError`).
            msgspec.DecodeError: The response is not a JSON object.
        """
        self._socket.sendall(msgspec.json.encode({"command": command, **arguments}) + b"\n")
        while (line := self._stream.readline()) == b"\n":
            pass
        if not line:
            raise ConnectionResetError("the server has closed the control socket")
        response = msgspec.json.decode(line, type=dict[str, Any])
        if not response.pop("ok", False):
            raise ControlError(str(response.get("error", "invalid response")))
        return response

    def wait_closed(self, timeout: float) -> None:
        """Wait for the end of the server.

        Raises:
            TimeoutError: The server still runs after `timeout` seconds.
            OSError: The connection fails.
        """
        self._socket.settimeout(timeout)
        self._socket.recv(1)


@contextmanager
def connect(path: Path) -> Generator[ControlConnection]:
    """Connect to a control socket within the context, with a timeout of 5 seconds for each operation.

    Raises:
        OSError: The server has ended, or does not accept the connection in time.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_RESPONSE_TIMEOUT)
        connection.connect(str(path))
        with connection.makefile("rb") as stream:
            yield ControlConnection(connection, stream)


def find_servers(selection: Mapping[str, str]) -> list[ServerStatus]:
    """Return the selected servers of this user in random order, and remove the sockets of servers that have exited.

    A server without a response within 5 seconds, and one with an incompatible response, are reported on standard error;
    sockets with other errors are skipped.

    Args:
        selection: Required values of status fields, as text; `{}` selects all servers. Symbolic links in the path of a
            database are resolved.
    """
    found: list[ServerStatus] = []
    for path in sorted(path for directory in socket_directories() for path in directory.glob(f"*{SOCKET_SUFFIX}")):
        try:
            with connect(path) as connection:
                status = ServerStatus(path, connection.request("status"))
            msgspec.convert(status.fields, _StatusFields)
        except ConnectionRefusedError:
            with suppress(OSError):
                path.unlink()
        except TimeoutError:
            write_error(f"chat-server: no response from the server at {path}")
        except msgspec.ValidationError as error:
            write_error(f"chat-server: incompatible response of the server at {path}: {error}")
        except (OSError, ControlError, msgspec.DecodeError):  # the server has just ended, or belongs to another user
            continue
        else:
            if all(_resolve(name, status.fields[name]) == _resolve(name, value) for name, value in selection.items()):
                found.append(status)
    return found


def _resolve(name: str, value: object) -> str:
    """Return the value of a status field as text, with symbolic links resolved in the path of a database."""
    return os.path.realpath(str(value)) if name == "database" else str(value)


def run(command: str, selection: Mapping[str, str], as_json: bool) -> None:
    """Run a command and print its result.

    `status` covers all selected servers. `stop` requires exactly one, and returns after the end of its process.

    Args:
        command: One of `CONTROL_COMMANDS`.
        selection: Required values by status field, `port` or `database`.
        as_json: Print the fields of the `status` response as one JSON object per server, also for `stop`.

    Raises:
        ControlError: The system has no Unix sockets; no server matches (`EXIT_UNAVAILABLE`); or `stop` matches several
            servers, is rejected, or exceeds the timeout of the server.
        OutputError: Standard output cannot be written.
    """
    if not supports_control_sockets():
        raise ControlError(f"{command} needs Unix sockets, which this system does not have")
    servers = find_servers(selection)
    if not servers:
        criteria = " and ".join(f"{name} {value}" for name, value in selection.items())
        raise ControlError(f"no server is running{criteria and f' with {criteria}'}", EXIT_UNAVAILABLE)
    if command == "stop":
        servers = [_stop(require_one(servers))]
    for server in servers:
        if as_json:
            write_json(msgspec.json.encode(server.fields))
        else:
            write_output(f"stopped {server.name}" if command == "stop" else _format_status(server.fields))


def require_one(servers: list[ServerStatus]) -> ServerStatus:
    """Return the only server of a list that is not empty.

    Raises:
        ControlError: The list has several servers.
    """
    if len(servers) > 1:
        names = ", ".join(server.name for server in servers)
        raise ControlError(f"several servers are running: {names}; select one with --port or --database")
    return servers[0]


def _stop(server: ServerStatus) -> ServerStatus:
    """Stop a server, wait for the end of its process, and return the server.

    A server that has ended in the meantime counts as stopped.

    Raises:
        ControlError: The server rejects the command, does not respond, sends an incompatible response, or has not ended
            within its own timeout.
    """
    try:
        with connect(server.path) as connection:
            response = msgspec.convert(connection.request("stop"), _StopFields)
            connection.wait_closed(response.timeout)
    except msgspec.DecodeError as error:
        raise ControlError(f"incompatible response of {server.name}: {error}") from error
    except TimeoutError:
        raise ControlError(f"{server.name} has not stopped yet") from None
    except OSError:  # stopped by another program in the meantime
        pass
    return server


def _format_status(fields: Mapping[str, Any]) -> str:
    """Return a line with version and URL of a server, and one indented line for each other field."""
    uptime = timedelta(seconds=int(fields["uptime"]))
    names = ("pid", "uptime", "connections", "rooms", "members", "database")
    lines = (f"  {name:12} {uptime if name == 'uptime' else fields[name]}" for name in names)
    return "\n".join((f"chat-server {fields['version']} at {fields['url']}", *lines))
