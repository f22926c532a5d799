"""Commands of `chat-server` for a database: `backup`, `export`, `migrate`, `nodes`, `drain` and `account …`.

- Running server: the commands use its control socket, except `migrate`, which requires a stopped server.
- Stopped server: the commands open the database. The lock of a SQLite file prevents a start of the server until the
  command ends; a PostgreSQL database has no lock, and servers on other machines may use the database.
- Start: commands for a running server, except `export` to files, do not import the database libraries, which takes
  0.4 s.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from datetime import timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec

from server import account_commands, migrate_command
from server.control_commands import ServerStatus, connect, find_servers, require_one
from server.control_socket import ControlError, supports_control_sockets
from server.settings import ServerSettings
from server.transcript import format_entry
from tui_chat.protocol.events import Entry
from tui_chat.standard_streams import EXIT_UNAVAILABLE, write_error, write_json, write_output

LOCK_TIMEOUT = 5.0
"""Seconds to wait for a server that starts or stops."""

_RETRY_DELAY = 0.2  # seconds between two attempts


class DatabaseLocked(ControlError):
    """Failure to open a database that another process has locked."""


class SendCommand(Protocol):
    """Function that runs a control command."""

    def __call__(self, command: str, /, **arguments: Any) -> dict[str, Any]:
        """Run a command and return the decoded response; raise `ControlError` if the command fails."""
        ...


def run(arguments: argparse.Namespace, settings: ServerSettings, selection: Mapping[str, str]) -> None:
    """Run a command and print its result; the creation of a database file is reported on standard error.

    A password is read before the connection to the server. Only `account add` creates a missing database.

    Args:
        arguments: Command line with one of these commands.
        settings: Settings with the database of a stopped server and the time zone of transcripts.
        selection: Values of the status fields `port` and `database` that select a running server, empty for any server.

    Raises:
        ControlError: The command failed.
        OutputError: Standard output cannot be written.
    """
    try:
        "".join(map(str, vars(arguments).values())).encode()
    except UnicodeEncodeError:
        raise ControlError("an argument is not valid UTF-8") from None
    match arguments.command:
        case "backup":
            command = partial(_back_up, arguments)
        case "export":
            command = partial(_export, arguments, settings.load_time_zone())
        case "migrate":
            migrate_command.run(arguments, settings)
            return
        case "nodes":
            command = partial(_list_nodes, arguments)
        case "drain":
            command = partial(_drain, arguments)
        case _:
            command = partial(_manage_accounts, arguments, account_commands.build_request(arguments))
    database = settings.resolve_database()
    was_missing = not os.path.exists(database)  # noqa: PTH110 (no error for an unusable path)
    with _open_administration(settings, selection, create=arguments.command == "account add") as send:
        command(send)
    if was_missing and os.path.exists(database):  # noqa: PTH110
        write_error(f"chat-server: created the database {database}")


@contextmanager
def _open_administration(
    settings: ServerSettings, selection: Mapping[str, str], *, create: bool
) -> Generator[SendCommand]:
    """Connect to the selected server, or open the database without a running server.

    While the database is locked and no server responds, the attempt is repeated for `LOCK_TIMEOUT` seconds. With `port`
    in the selection, the database is never opened.

    Raises:
        ControlError: Several servers match, no server has the selected port, or the database is unusable; also raised
            by the yielded function, for a server that does not respond and for a rejected command.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT
    with ExitStack() as stack:
        while True:
            if servers := find_servers(selection) if supports_control_sockets() else []:
                send = stack.enter_context(_connect_to_server(require_one(servers)))
                break
            if "port" in selection:
                raise ControlError(f"no server is running with port {selection['port']}", EXIT_UNAVAILABLE)
            try:
                send = stack.enter_context(
                    _open_database(settings.resolve_database(), settings.resolve_uploads(), create=create)
                )
                break
            except DatabaseLocked:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_RETRY_DELAY)
        yield send


@contextmanager
def _connect_to_server(server: ServerStatus) -> Generator[SendCommand]:
    """Connect to the control socket of a server within the context; failures are raised as `ControlError`."""

    def send(command: str, /, **arguments: Any) -> dict[str, Any]:
        try:
            return connection.request(command, **arguments)
        except (OSError, msgspec.DecodeError) as error:
            raise ControlError(f"{server.name} does not respond: {error}", EXIT_UNAVAILABLE) from error

    with ExitStack() as stack:
        try:
            connection = stack.enter_context(connect(server.path))
        except OSError as error:
            raise ControlError(f"{server.name} does not respond: {error}", EXIT_UNAVAILABLE) from error
        yield send


@contextmanager
def _open_database(target: str, uploads: str, *, create: bool) -> Generator[SendCommand]:
    """Open a database within the context, and yield a function that runs commands on a private event loop.

    Raises:
        DatabaseLocked: Another process has locked the database.
        ControlError: The database is unusable.
    """
    from server.administration import open_administration  # noqa: PLC0415 (module docstring, "Start")
    from server.storage.errors import DatabaseInUse, StorageError  # noqa: PLC0415

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            administration = runner.run(stack.enter_async_context(open_administration(target, uploads, create=create)))
        except StorageError as error:
            error_type = DatabaseLocked if isinstance(error.__cause__, DatabaseInUse) else ControlError
            raise error_type(str(error)) from error

        def send(command: str, /, **arguments: Any) -> dict[str, Any]:
            return msgspec.json.decode(msgspec.json.encode(runner.run(administration.handlers[command](arguments))))

        try:
            yield send
        finally:
            runner.run(stack.aclose())


def _manage_accounts(arguments: argparse.Namespace, request: Mapping[str, Any], send: SendCommand) -> None:
    """Run an account command, and print its result as text, or as one JSON object per account."""
    response = send(arguments.command, **request)
    if not arguments.json:
        write_output(account_commands.format_response(arguments.command, response))
        return
    for record in response["accounts"] if arguments.command == "account list" else [response]:
        write_json(msgspec.json.encode(record))


def _back_up(arguments: argparse.Namespace, send: SendCommand) -> None:
    """Write a backup and print its path and size; warn if the server wrote the file in another file system."""
    path = arguments.path.absolute()
    response = send("backup", path=str(path), force=arguments.force)
    if not path.exists():
        write_error(f"chat-server: {path} is in the file system of the server, which is not that of this command")
    if arguments.json:
        write_json(msgspec.json.encode(response))
    else:
        write_output(f"saved {path} ({response['bytes']:,} bytes)")


def _list_nodes(arguments: argparse.Namespace, send: SendCommand) -> None:
    """Print one line per node, as text or as a JSON object."""
    for node in send("nodes")["nodes"]:
        if arguments.json:
            write_json(msgspec.json.encode(node))
        else:
            load = node["load"]
            write_output(
                f"{node['label']}  {load['connections']:,} connections, lag {load['lag'] * 1000:.0f} ms,"
                f" up {timedelta(seconds=int(node['uptime']))}, heartbeat {node['age']:.0f} s ago"
                + (", draining" if node["is_draining"] else "")
            )


def _drain(arguments: argparse.Namespace, send: SendCommand) -> None:
    """Mark a node as draining and print a confirmation, as text or as a JSON object."""
    response = send("drain", node=arguments.node)
    if arguments.json:
        write_json(msgspec.json.encode(response))
    else:
        write_output(f"{response['node']} moves its clients to the other servers within half a minute")


def _export(arguments: argparse.Namespace, zone: tzinfo | None, send: SendCommand) -> None:
    """Write a room log to standard output, or to a file with a confirmation, and copy its files with `--files`.

    Existing files are replaced with `--force` only. A failed copy of a file leaves the written log in place. The text
    format has the times of `zone`, or of the time zone of the system for None.

    Raises:
        ControlError: The room does not exist, the log or the location of the files is not readable, or a written file
            exists or is not writable.
    """
    attachments: list[dict[str, Any]] = []
    location = ""

    def read_lines() -> Generator[bytes]:
        nonlocal location
        for page in _read_pages(send, arguments.room):
            location = page["uploads"]
            for entry in page["entries"]:
                attachments.extend(entry.get("attachments", ()))
                if line := _encode_entry(entry, arguments.format, zone):
                    yield line

    lines = read_lines()
    result: dict[str, Any] = {}
    if arguments.output is None:
        for line in lines:
            if arguments.format == "json":
                write_json(line)
            else:
                write_output(line.decode())
    else:
        count = _write_file(lines, arguments.output, overwrite=arguments.force)
        result = {"path": str(arguments.output.absolute()), "lines": count}
    if arguments.files is not None:
        result["files"] = _export_files(arguments, attachments, location)
    if arguments.output is not None and arguments.json:
        write_json(msgspec.json.encode(result))
    elif arguments.output is not None:
        write_output(f"saved {result['path']} ({_format_count(result['lines'], 'line')})")


def _encode_entry(entry: dict[str, Any], line_format: str, zone: tzinfo | None) -> bytes:
    """Return an entry as a line of JSON or text without a line break; empty for an entry without a text form."""
    if line_format == "json":
        return msgspec.json.encode(entry)
    return (format_entry(msgspec.convert(entry, Entry), zone) or "").encode()


def _export_files(arguments: argparse.Namespace, attachments: list[dict[str, Any]], location: str) -> int:
    """Copy the files of messages, report missing files and the result on standard error, and return the number."""
    from server.file_export import export_files  # noqa: PLC0415 (module docstring, "Start")

    exported = export_files(attachments, location, arguments.files, overwrite=arguments.force)
    for path in exported.missing:
        write_error(f"chat-server: {path} is no longer stored")
    write_error(f"chat-server: saved {_format_count(exported.copied, 'file')} in {arguments.files.absolute()}")
    return exported.copied


def _format_count(count: int, noun: str) -> str:
    """Return a count with a noun in the singular or the regular plural, such as `1 file` or `1,200 lines`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _write_file(lines: Iterable[bytes], path: Path, *, overwrite: bool) -> int:
    """Write lines to a file with mode 0600, and return the number of lines; a failure is raised as `ControlError`.

    After a failure, no new file remains, and an existing one is unchanged.
    """
    from server.storage.errors import StorageError  # noqa: PLC0415 (module docstring, "Start")
    from server.storage.private_file import create_private_file  # noqa: PLC0415

    count = 0
    try:
        with create_private_file(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
            for line in lines:
                file.write(line + b"\n")
                count += 1
    except StorageError as error:
        raise ControlError(str(error)) from error
    return count


def _read_pages(send: SendCommand, room: str) -> Generator[dict[str, Any]]:
    """Yield the pages of `export` for a room, up to the last entry at the time of the first response.

    Later edits and deletions of these entries may be included.

    Raises:
        ControlError: The room does not exist, or the log is not readable.
    """
    after, last_seq, has_more = 0, None, True
    while has_more:
        page = send("export", room=room, after=after)
        last_seq = page["lastSeq"] if last_seq is None else last_seq
        after = page["entries"][-1]["seq"] if page["entries"] else after
        yield page | {"entries": [entry for entry in page["entries"] if entry["seq"] <= last_seq]}
        has_more = page["hasMore"] and after < last_seq
