"""`chat-server migrate`: copy of a SQLite database into a PostgreSQL database."""

import argparse
import asyncio
import shlex
import time
from pathlib import Path
from typing import Any

import msgspec

from server.control_commands import find_servers
from server.control_socket import ControlError
from server.settings import ServerSettings
from tui_chat.standard_streams import write_error, write_json, write_output

_PROGRESS_INTERVAL = 1.0  # seconds between two lines


class _ProgressWriter:
    """Writer of progress lines to standard error: at the end of each step, and each second of a long one."""

    def __init__(self) -> None:
        self._written_at = time.monotonic()

    def write(self, progress: Any) -> None:
        """Write a line if the step is complete or the last line is at least a second old."""
        now = time.monotonic()
        if progress.done < progress.total and now - self._written_at < _PROGRESS_INTERVAL:
            return
        self._written_at = now
        write_error(f"chat-server: {progress.step}: {progress.done:,} of {progress.total:,} rows")


def run(arguments: argparse.Namespace, settings: ServerSettings) -> None:
    """Copy the database of the settings, and print the result with the command that starts a server on the copy.

    Progress is printed to standard error. The output contains the target without its password.

    Args:
        arguments: Command line with the target URL as `to`, and `json`.
        settings: Settings with the source and the location of its uploads.

    Raises:
        ControlError: The copy failed; after an interruption, the same command continues.
        KeyboardInterrupt: The copy was interrupted, which is reported on standard error.
        OutputError: Standard output cannot be written.
    """
    # Deferred import: the database libraries take 0.4 s.
    from server.storage.errors import DatabaseInUse, StorageError  # noqa: PLC0415
    from server.storage.migration import migrate, parse_source  # noqa: PLC0415

    source = settings.resolve_database()
    try:
        path = parse_source(source)
        result = asyncio.run(migrate(path, arguments.to, _ProgressWriter().write))
    except StorageError as error:
        if isinstance(error.__cause__, DatabaseInUse):
            raise ControlError(f"{error}{_describe_server(source)}") from error
        raise ControlError(str(error)) from error
    except KeyboardInterrupt:
        write_error("chat-server: interrupted; the same command continues the migration")
        raise
    target = msgspec.structs.replace(settings, database=arguments.to).describe_database()
    uploads = settings.resolve_uploads() if result.rows.get("uploads") else ""
    location = uploads if "://" in uploads or not uploads else str(Path(uploads).absolute())
    if arguments.json:
        write_json(msgspec.json.encode({"database": target, "uploads": location, "rows": result.rows}))
        return
    rooms, entries = (result.rows.get(name, 0) for name in ("rooms", "entries"))
    verb = "already contains" if result.is_repeated else "contains"
    write_output(f"{target} {verb} all {rooms:,} rooms and {entries:,} entries of {path}")
    options = ["--uploads", location] if location else []
    write_output(f"start: {shlex.join(['chat-server', '--database', target, *options])}")


def _describe_server(database: str) -> str:
    """Return a suffix of the error with the server that uses the database, empty without a responding server."""
    servers = find_servers({"database": database})
    return "".join(f": {server.name}; stop it first with chat-server stop" for server in servers[:1])
