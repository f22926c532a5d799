"""Administration commands of an open database, as handlers of the control socket.

The same handlers serve a running server and, without one, the commands of `chat-server`.
"""

import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec

from server.account_administration import AccountAdministration
from server.clock import read_wall_clock
from server.control_socket import ControlError, ControlHandler
from server.domain.guest_keys import GuestKeys
from server.gateway.account_lifecycle import open_accounts
from server.gateway.account_service import AccountService
from server.gateway.audit_log import AuditLog
from server.storage import backup
from server.storage.database import Database, open_database
from server.storage.errors import StorageError, describe_error
from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError, Unavailable
from tui_chat.protocol.limits import SEQ_MAX

log = logging.getLogger("chat.administration")

EXPORT_PAGE = 100
"""Maximum number of entries per response of `export`; short pages do not delay the members."""

_MAX_COMPARED_ROOMS = 10_000  # public rooms that are compared with an unknown name


class BackupRequest(msgspec.Struct):
    """Arguments of `backup`.

    Attributes:
        path: Absolute path of the new file.
        force: Replace an existing file.
    """

    path: str
    force: bool = False


class ExportRequest(msgspec.Struct):
    """Arguments of `export`.

    Attributes:
        room: Name of the room, or its address.
        after: The page starts with the first entry after this `seq`.
    """

    room: str
    after: Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)] = 0


class DrainRequest(msgspec.Struct):
    """Arguments of `drain`.

    Attributes:
        node: Label or id of the node.
    """

    node: str


class Administration:
    """Administration commands of one database.

    Args:
        database: Open database.
        accounts: Operations on the accounts of the database.
        uploads: Path or URL of the files of messages.

    Attributes:
        handlers: Handlers by command name; all expected failures are raised as `ControlError`.
    """

    def __init__(self, database: Database, accounts: AccountService, uploads: str) -> None:
        self._database = database
        self._uploads = uploads if "://" in uploads else str(Path(uploads).absolute())
        self._audit_log = AuditLog(database.journal)
        handlers: dict[str, ControlHandler] = {
            "backup": self._back_up,
            "export": self._export,
            "nodes": self._list_nodes,
            "drain": self._drain,
            **AccountAdministration(accounts, self._record).handlers,
        }
        self.handlers: dict[str, ControlHandler] = {
            name: partial(_report_errors, handler) for name, handler in handlers.items()
        }

    async def _back_up(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Write a backup; return its `path` and its size as `bytes`.

        Raises:
            ControlError: The path is not absolute, or the database is not a SQLite file.
            StorageError: The copy failed.
        """
        arguments = msgspec.convert(request, BackupRequest)
        path = Path(arguments.path)
        if not path.is_absolute():
            raise ControlError(f"{path} is not an absolute path")
        if self._database.path is None:
            raise ControlError("backup copies SQLite files only; back up PostgreSQL with pg_dump")
        size = await backup.back_up(self._database.path, path, overwrite=arguments.force)
        log.info("backup written to %s", path)
        return {"path": str(path), "bytes": size}

    async def _export(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of a room log, at most `EXPORT_PAGE` entries in ascending order.

        Returns:
            `entries`; `lastSeq`, the `seq` of the newest entry; `hasMore`; `uploads`, the location of the files.

        Raises:
            ControlError: The room does not exist; the message suggests a similar name of a public room, if any.
        """
        arguments = msgspec.convert(request, ExportRequest)
        page = await self._database.reader.read_page(
            names.canonical_key(arguments.room), after=arguments.after, limit=EXPORT_PAGE
        )
        if not page.log_id:
            raise ControlError(await self._describe_missing_room(arguments.room))
        return {
            **{"entries": page.messages, "lastSeq": page.last_seq, "hasMore": page.has_more},
            "uploads": self._uploads,
        }

    async def _list_nodes(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Return `nodes`, the registered servers, oldest first; raise `ControlError` for a SQLite database."""
        self._require_postgresql()
        return {"nodes": await self._database.nodes.list_nodes()}

    async def _drain(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Request a server to move its clients to the other servers; return `node` as in the request.

        The drain starts at the next heartbeat of the server. A repeated call has no further effect.

        Raises:
            ControlError: No server has this label or id, or the database is a SQLite file.
        """
        arguments = msgspec.convert(request, DrainRequest)
        self._require_postgresql()
        if not await self._database.nodes.start_drain(arguments.node):
            raise ControlError(f"no server {arguments.node}; see chat-server nodes")
        log.info("operator drained %s", arguments.node)
        return {"node": arguments.node}

    def _require_postgresql(self) -> None:
        """Raise `ControlError` for a SQLite database, which has only one server."""
        if self._database.path is not None:
            raise ControlError("a SQLite database has one server; see chat-server status")

    async def _describe_missing_room(self, name: str) -> str:
        """Return the error message for an unknown room, with a similar name of a public room if there is one."""
        rooms = {room.key: room.name for room in await self._database.reader.list_rooms(None, _MAX_COMPARED_ROOMS)}
        matches = get_close_matches(names.canonical_key(name), rooms, 1)
        return f"no room {name}" + (f"; did you mean {rooms[matches[0]]}?" if matches else "")

    async def _record(self, action: str) -> None:
        """Write an action of the operator to the log of the server and to the audit log."""
        log.info("operator %s", action)
        await self._audit_log.record(action)


async def _report_errors(handler: ControlHandler, request: Mapping[str, Any]) -> dict[str, Any]:
    """Run a handler; `StorageError`, `ChatError` and an invalid request are raised as `ControlError`."""
    try:
        return await handler(request)
    except (StorageError, ChatError, msgspec.ValidationError) as error:
        raise ControlError(str(error)) from error


@asynccontextmanager
async def open_administration(target: str, uploads: str, *, create: bool) -> AsyncGenerator[Administration]:
    """Open a database within the context, for the administration of a stopped server.

    Args:
        target: As for `open_database`.
        uploads: Path or URL of the files of messages.
        create: Create a missing SQLite file, and the schema of an empty database; otherwise reject both.

    Raises:
        StorageError: As `open_database`, or the accounts are not readable.
    """
    async with AsyncExitStack() as resources:
        database = await open_database(target, clock=read_wall_clock, must_exist=not create)
        resources.push_async_callback(database.close)
        (secret,) = await database.load_secrets("guests")
        generate_member_id = GuestKeys(secret).generate_member_id
        try:
            accounts = await resources.enter_async_context(
                open_accounts(database, generate_member_id, now=read_wall_clock, monotonic=time.monotonic)
            )
        except Unavailable as error:
            raise StorageError(f"cannot read the accounts: {describe_error(error.__cause__ or error)}") from error
        yield Administration(database, accounts, uploads)
