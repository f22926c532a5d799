"""Stored state of the rooms and messages that one batch of log commands refers to.

- Lock order: rows of existing rooms in key order, then rows of rooms created by the batch. The locks last until the
  commit, so writers of other nodes wait for the whole batch.
- Room creation: only commands that cannot be rejected create a room, and a rejected creation of a direct room deletes
  its room again, so no batch leaves an empty room behind.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from server.domain.log_commands import (
    AppendCreation,
    AppendDeletion,
    AppendEdit,
    AppendMemberChange,
    AppendMessage,
    AppendReaction,
    AppendTopic,
    LogCommand,
)
from server.storage.row_mapping import entry_from_row
from server.storage.statements import BatchStatements
from server.storage.tables import PUBLIC, entries
from tui_chat.protocol.events import Entry, TopicChange
from tui_chat.protocol.names import is_room_address

_CREATING_ACTIONS = ("joined", "kicked", "banned", "muted", "role")


class TargetMessage(Struct):
    """State of a message after the processed commands; `id` is the entry id, `text` is empty if deleted."""

    id: int
    member_id: str
    text: str
    deleted: bool


class BatchRoom(Struct, eq=False):
    """State of a room after the processed commands of a batch; columns of `rooms` have their names.

    Attributes:
        name: Display name; the stored name if the room exists, otherwise that of its first command.
        id: Room id, 0 if the room neither exists nor is created by the batch.
        is_new: The batch created the room.
        entry_count: Number of entries of the batch.
        by_client_id: Entries by clientId (32 hexadecimal digits), stored or created by the batch; for a change without
            effect, any entry with the first `revision` as `seq` and id 0.
        targets: Existing messages by `seq` that commands of the batch refer to, and the messages of the batch.
        reactions: Existing reactions that commands of the batch refer to: `seq` of the message, emoji, member id.
        member_ids: Member ids of mentioned accounts that are durable members, and of the members that the batch added.
        reaction_counts: Numbers of reactions by emoji, by `seq` of the message that reaction commands refer to.
    """

    name: str
    id: int = 0
    last_seq: int = 0
    last_n: int = 0
    active_at: int = 0
    policy_seq: int = 0
    visibility: str = PUBLIC
    is_new: bool = False
    entry_count: int = 0
    by_client_id: dict[str, Entry] = {}
    targets: dict[int, TargetMessage] = {}
    reactions: set[tuple[int, str, str]] = set()
    member_ids: set[str] = set()
    reaction_counts: dict[int, dict[str, int]] = {}


def load_rooms(
    connection: Connection,
    statements: BatchStatements,
    commands: Sequence[LogCommand],
    now: int,
    has_valid_files: Callable[[AppendMessage], bool],
) -> tuple[dict[str, BatchRoom], Iterator[int] | None]:
    """Lock, create and read the rooms of a batch.

    A missing room is created if one of its commands cannot be rejected, such as a message that is not a reply.

    Args:
        now: Creation time of new rooms, in milliseconds since the epoch.
        has_valid_files: Returns whether the files of a message in a new room cannot be rejected.

    Returns:
        The state of the room of each command, by key, and reserved ids for the entries of all commands. A missing room
        that was not created has id 0 and no messages. The ids are None if none are reserved yet.
    """
    commands_by_room: dict[str, list[LogCommand]] = {}
    for command in commands:
        commands_by_room.setdefault(command.room.key, []).append(command)
    rooms, entry_ids = _lock_rooms(connection, statements, commands_by_room, len(commands))
    missing_keys = sorted(commands_by_room.keys() - rooms.keys())
    created_keys = [
        key
        for key in missing_keys
        if any(_may_create_room(command, has_valid_files) for command in commands_by_room[key])
    ]
    if created_keys:
        refs = [commands_by_room[key][0].room for key in created_keys]
        rows = [(ref.key, ref.name, "", "", PUBLIC, ref.log_id, 1, 0, 0, now, now) for ref in refs]
        statements.create_room.execute_many(connection, rows)
        created_rooms, _ = _lock_rooms(connection, statements, created_keys, 0)
        for room in created_rooms.values():
            room.is_new = room.last_seq == 0
        rooms |= created_rooms
        entry_ids = None  # another node may have created a room, and written entries with higher ids
    for key in missing_keys:
        rooms.setdefault(key, BatchRoom(commands_by_room[key][0].room.name))
    repeated_rooms = _select_repeated_rooms(connection, statements, rooms, commands)
    for key, room in rooms.items():
        if room.id:
            _load_messages(connection, statements, room, commands_by_room[key], room.id in repeated_rooms)
    return rooms, entry_ids


def _lock_rooms(
    connection: Connection, statements: BatchStatements, keys: Collection[str], id_count: int
) -> tuple[dict[str, BatchRoom], Iterator[int] | None]:
    """Lock the existing rooms among the given keys; return them by key, and ids as `BatchStatements.lock_rooms`."""
    rows, entry_ids = statements.lock_rooms(connection, keys, id_count)
    return {key: BatchRoom(*values) for key, *values in rows}, entry_ids


def _select_repeated_rooms(
    connection: Connection,
    statements: BatchStatements,
    rooms: Mapping[str, BatchRoom],
    commands: Sequence[LogCommand],
) -> set[int]:
    """Return the ids of the rooms that may contain the clientId of a command."""
    client_ids = [
        (room.id, command.client_id.hex)
        for command in commands
        if command.client_id is not None and (room := rooms[command.room.key]).id and not room.is_new
    ]
    return statements.select_repeated_rooms(
        connection, [room_id for room_id, _ in client_ids], [client_id for _, client_id in client_ids]
    )


def _may_create_room(command: LogCommand, has_valid_files: Callable[[AppendMessage], bool]) -> bool:
    """Return whether a command creates a missing room.

    A creation creates any room. A room with a name is also created by a topic, by a message with valid files without
    `reply_to`, and by a member change with one of `_CREATING_ACTIONS` without an invite or a code. A command with a
    `policy_seq` above 0 creates none, because its room was removed after the check.
    """
    match command:
        case _ if command.policy_seq:
            return False
        case AppendCreation():
            return True
        case _ if is_room_address(command.room.name):
            return False
        case AppendMemberChange(action=action, invite_digest=digest, reusable_code=code):
            return action in _CREATING_ACTIONS and digest is None and code is None
        case AppendMessage(reply_to=reply_to):
            return reply_to is None and has_valid_files(command)
        case _:
            return isinstance(command, AppendTopic)


def _load_messages(
    connection: Connection,
    statements: BatchStatements,
    room: BatchRoom,
    commands: list[LogCommand],
    may_repeat: bool,
) -> None:
    """Read the original entries, targets, mentioned members and reactions of the commands of a room into its state.

    Targets include the messages to which messages reply. Original entries are read only with `may_repeat`.
    """
    client_ids: list[str] = []
    seqs: list[int] = []
    mentioned_ids: set[str] = set()
    reactions: list[AppendReaction] = []
    for command in commands:
        if may_repeat and command.client_id is not None:
            client_ids.append(command.client_id.hex)
        if isinstance(command, AppendMessage):
            if command.reply_to is not None:
                seqs.append(command.reply_to)
            mentioned_ids.update(*command.mentions.candidates)
        elif isinstance(command, AppendEdit | AppendDeletion | AppendReaction):
            seqs.append(command.target)
            if isinstance(command, AppendEdit):
                mentioned_ids.update(*command.mentions.candidates)
            elif isinstance(command, AppendReaction):
                reactions.append(command)
    if client_ids:
        room.by_client_id = _load_by_client_id(connection, statements, room, statements.array_param(client_ids))
    if seqs:
        room.targets = {
            seq: TargetMessage(entry_id, member_id, text, bool(deleted))
            for seq, entry_id, member_id, text, deleted in statements.select_targets.execute(
                connection, room.id, statements.array_param(seqs)
            )
        }
    if mentioned_ids:
        member_rows = statements.select_members.execute(connection, room.id, statements.array_param(mentioned_ids))
        room.member_ids = {member_id for (member_id,) in member_rows}
    if reactions:
        _load_reactions(connection, statements, room, reactions)


def _load_reactions(
    connection: Connection, statements: BatchStatements, room: BatchRoom, commands: list[AppendReaction]
) -> None:
    """Read the reactions of the authors of commands on the targets, and the numbers of all reactions of the targets."""
    targets = statements.array_param({command.target for command in commands})
    member_ids = statements.array_param({command.author.member_id for command in commands})
    rows = statements.select_reactions.execute(connection, room.id, targets, member_ids)
    room.reactions = {(target, emoji, member_id) for target, emoji, member_id in rows}
    for target, emoji, count in statements.select_reaction_counts.execute(connection, room.id, targets):
        room.reaction_counts.setdefault(target, {})[emoji] = count


def _load_by_client_id(
    connection: Connection, statements: BatchStatements, room: BatchRoom, client_ids: Any
) -> dict[str, Entry]:
    """Return the stored entries with the given clientIds, as `BatchRoom.by_client_id`."""
    originals: dict[str, Entry] = {}
    for values in statements.select_by_client_id.execute(connection, room.id, client_ids):
        row = SimpleNamespace(**dict(zip(entries.columns.keys(), values, strict=True)))
        originals[row.client_id] = entry_from_row(room.name, row)
    for client_id, member_id, revision in statements.select_noop_changes.execute(connection, room.id, client_ids):
        originals[client_id] = TopicChange(
            room=room.name, seq=revision, id=0, ts=0, member_id=member_id, nick_name="", topic=""
        )
    return originals
