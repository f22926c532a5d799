"""Webhooks of rooms; the journal creates and revokes them in the transaction of their log entry."""

from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from server.domain.log_commands import AppendMemberChange
from server.storage.executor import Executor, TransactionRunner
from server.storage.tables import REMOVED, hooks, rooms
from tui_chat.protocol.errors import Conflict
from tui_chat.protocol.limits import HOOKS_PER_ROOM
from tui_chat.protocol.names import canonical_key

_select_hooks = (
    select(hooks.c.member_id, hooks.c.nick_name, hooks.c.created_by, hooks.c.created_at, rooms.c.name)
    .select_from(hooks.join(rooms, rooms.c.id == hooks.c.room_id))
    .where(rooms.c.visibility != REMOVED)
)


class StoredHook(NamedTuple):
    """Webhook without its secret.

    Attributes:
        member_id: Member id of the messages.
        nick_name: Nickname of the messages.
        created_by: Member id of the creator.
        created_at: Time of the creation in milliseconds since the epoch.
        room: Name or address of the room.
    """

    member_id: str
    nick_name: str
    created_by: str
    created_at: int
    room: str


class HookReader:
    """Reader of webhooks; all methods raise `Unavailable` if the database is not readable."""

    def __init__(self, readers: Executor) -> None:
        self._reads = TransactionRunner.for_reads(readers, "webhooks")

    async def find(self, digest: bytes) -> StoredHook | None:
        """Return the webhook with the SHA-256 of a secret; None for an unknown secret, and for a removed room."""
        return await self._reads.run(partial(_find, digest=digest))

    async def list_all(self, room_key: str) -> list[StoredHook]:
        """Return the webhooks of a room, newest first; empty for an unknown or removed room."""
        return await self._reads.run(partial(_list_all, room_key=room_key))


def change_hook(connection: Connection, room_id: int, command: AppendMemberChange, now: int) -> bool:
    """Insert or delete the webhook of a command, and return whether the command has an effect.

    Args:
        command: Command `hookCreated` or `hookRevoked`, with the webhook as `target`.

    Raises:
        Conflict: The room has a webhook with an equal name by canonical key, or `HOOKS_PER_ROOM` webhooks.
    """
    in_room = hooks.c.room_id == room_id
    if command.action == "hookRevoked":
        is_target = hooks.c.member_id == command.target.member_id
        return bool(connection.execute(delete(hooks).where(in_room, is_target)).rowcount)
    nick_key = canonical_key(command.target.nick_name)
    nick_names = connection.execute(select(hooks.c.nick_name).where(in_room)).scalars().all()
    if nick_key in map(canonical_key, nick_names):
        raise Conflict("hook_exists")
    if len(nick_names) >= HOOKS_PER_ROOM:
        raise Conflict("too_many_hooks", limit=HOOKS_PER_ROOM)
    connection.execute(
        hooks.insert().values(
            member_id=command.target.member_id,
            room_id=room_id,
            digest=command.hook_digest,
            nick_name=command.target.nick_name,
            created_by=command.author.member_id,
            created_at=now,
        )
    )
    return True


def _find(connection: Connection, *, digest: bytes) -> StoredHook | None:
    row = connection.execute(_select_hooks.where(hooks.c.digest == digest)).one_or_none()
    return None if row is None else StoredHook(*row)


def _list_all(connection: Connection, *, room_key: str) -> list[StoredHook]:
    newest_first = (hooks.c.created_at.desc(), hooks.c.member_id)
    return [
        StoredHook(*row)
        for row in connection.execute(_select_hooks.where(rooms.c.key == room_key).order_by(*newest_first))
    ]
