"""Validation and write of one batch of log commands in a single transaction.

- Sequential semantics: each command sees the effects of all earlier commands of its batch.
- Permissions: a command with a `policy_seq` other than that of the room is rejected, so that a check against stale
  state admits nothing.
- Rejection: a rejected command writes nothing, consumes no `seq`, and does not affect other commands.
- Lock order: rows of attached uploads, rows of rooms (`server.storage.batch_rooms`), then the id counter of SQLite.
- No-op changes: a change to the current state, such as a second deletion, creates no entry. The result then carries the
  newest `seq` of the room.
- Idempotency: a repeated clientId returns the result of the first command, even of a no-op, and changes nothing.
- Deletion: a deleted message accepts replies, but no edit and no new reaction. Its text, the texts of its edits, its
  files and its current reactions are erased from storage.
- Search index, mentions, read markers of authors, references to files: updated in the transaction of the entries.
"""

from collections.abc import Callable, Container, Sequence
from typing import Any, ClassVar, Self, get_args
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, select

from server.domain.log_commands import (
    AccessCommand,
    AppendDeletion,
    AppendEdit,
    AppendMessage,
    AppendReaction,
    AppendTopic,
    LogCommand,
    StaleAccess,
)
from server.storage.access_changes import apply_access_change
from server.storage.batch_attachments import BatchAttachments
from server.storage.batch_mentions import BatchMentions
from server.storage.batch_rooms import BatchRoom, TargetMessage, load_rooms
from server.storage.compiled_statement import CompiledStatement
from server.storage.row_mapping import KIND_MESSAGE, encode_fields, entry_from_row
from server.storage.statements import BatchStatements
from server.storage.tables import REMOVED, entries
from tui_chat.protocol import errors, events
from tui_chat.protocol.limits import REACTIONS_PER_MESSAGE
from tui_chat.protocol.names import is_room_address
from tui_chat.protocol.search_query import fold


class AppendResult(Struct, frozen=True):
    """Result of an accepted command.

    Attributes:
        entry: Committed entry. For a repeated clientId, the original; a message has its current state without
            reactions. For a no-op change, an entry with the newest `seq` of the room at its first request and id 0.
            After an uncertain commit, a repeated change without clientId may have the newest entry of the room instead.
        duplicate: No entry was written: the clientId has an entry already, or the change is a no-op.
    """

    entry: events.Entry
    duplicate: bool


AppendOutcome = AppendResult | errors.ChatError


def apply_batch(
    connection: Connection,
    statements: BatchStatements,
    commands: Sequence[LogCommand],
    now: int,
    republish: Container[UUID | LogCommand],
) -> list[AppendOutcome]:
    """Validate and write a batch of commands inside the transaction of the caller.

    The error of a rejected command is returned, not raised. An accepted command is durable only after the commit.

    Args:
        commands: Log commands in order of arrival.
        now: Milliseconds since the epoch. `ts` of an entry is the maximum of `now` and the newest `ts` of the room,
            so a clock adjustment never reverses the order.
        republish: Commands from uncertain commits, or their clientIds; their entries may be unpublished.

    Returns:
        One result or error per command, in the given order.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: A statement failed; the caller must roll back the transaction.
    """
    writer = BatchWriter(connection, statements, commands, now, republish)
    outcomes: list[AppendOutcome] = []
    for command in commands:
        try:
            outcomes.append(writer.append(command))
        except errors.ChatError as error:
            outcomes.append(error)
    writer.flush()
    return outcomes


class BatchWriter:
    """Working state of one batch: loaded rooms, pending rows and deferred statements.

    The parameters are those of `apply_batch`. The construction locks the rooms of all commands, and creates missing
    ones (`load_rooms`).
    """

    def __init__(
        self,
        connection: Connection,
        statements: BatchStatements,
        commands: Sequence[LogCommand],
        now: int,
        republish: Container[UUID | LogCommand],
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._command_count = len(commands)
        self._now = now
        self._republish = republish
        self._attachments = BatchAttachments(connection, statements, commands)
        self._rooms, self._entry_ids = load_rooms(
            connection, statements, commands, now, self._attachments.may_create_room
        )
        self._message_rows: list[tuple[Any, ...]] = []
        self._change_rows: list[tuple[Any, ...]] = []
        self._deferred: list[tuple[CompiledStatement, tuple[Any, ...]]] = []
        self._mentions = BatchMentions(statements)
        self._index_updates: list[tuple[int, int, str, str | None]] = []

    def append(self, command: LogCommand) -> AppendResult:
        """Validate one command of the batch, and queue the rows of its entry until `flush`.

        Args:
            command: One of the commands passed to the constructor; each is appended once, in the given order.

        Raises:
            StaleAccess: `policy_seq` of the command is neither None nor that of the room.
            NotFound: The target message, the message of `reply_to`, an attached upload or the room of an address does
                not exist.
            Forbidden: The target of an edit, or of a deletion without `any_author`, belongs to another member.
            Conflict: The clientId belongs to another member, the target of an edit or new reaction is deleted, or the
                message has `REACTIONS_PER_MESSAGE` other emoji.
            ChatError: As `apply_access_change` for its commands.
        """
        room = self._rooms[command.room.key]
        client_id = None if command.client_id is None else command.client_id.hex
        original = room.by_client_id.get(client_id or "")
        if original is not None:
            if original.member_id != command.author.member_id:
                raise errors.Conflict("client_id_in_use")
            return AppendResult(original, duplicate=True)
        if command.policy_seq != room.policy_seq and command.policy_seq is not None:
            raise StaleAccess(command.room.key)
        if not room.id and is_room_address(command.room.name):
            raise errors.NotFound("room_not_found")
        entry = self._APPEND_METHODS[type(command)](self, room, command)
        is_noop = entry.id == 0
        if client_id is not None:
            room.by_client_id[client_id] = entry
            if is_noop:
                row = (room.id, client_id, command.author.member_id, entry.seq)
                self._deferred.append((self._statements.insert_noop_change, row))
        elif is_noop and command in self._republish:
            entry = self._read_newest_change(room) or entry
        return AppendResult(entry, duplicate=is_noop)

    def _append_message(self, room: BatchRoom, command: AppendMessage) -> events.Entry:
        author, text, reply_to = command.author, command.message, command.reply_to
        if reply_to is not None:
            self._require_target(room, reply_to)
        files = self._attachments.require_files(room, command) if command.attachments else None
        entry_id = self._allocate_entry(room)
        room.last_n += 1
        entry = events.Message(
            room=room.name,
            seq=room.last_seq,
            id=entry_id,
            member_id=author.member_id,
            nick_name=author.nick_name,
            message=text,
            ts=room.active_at,
            account=author.account,
            reply_to=reply_to,
            n=room.last_n,
            attachments=files,
            bot=author.bot,
        )
        if files is not None:
            self._attachments.add(room, entry.seq, command, files)
        client_id = "" if command.client_id is None else command.client_id.hex
        account, is_bot = author.account or "", int(author.bot)
        identity = (author.member_id, author.nick_name, account)
        self._message_rows.append(
            (entry_id, room.id, entry.seq, *identity, text, entry.ts, client_id, reply_to or 0, room.last_n, is_bot)
        )
        room.targets[entry.seq] = TargetMessage(entry_id, author.member_id, text, deleted=False)
        if command.mentions.candidates or command.mentions.all_members:
            self._mentions.add(room, entry.seq, command.mentions)
        if author.account is not None:
            self._mentions.move_marker(room, author.member_id)
        return entry

    def _append_edit(self, room: BatchRoom, command: AppendEdit) -> events.Entry:
        target_message = self._require_target(room, command.target)
        if target_message.member_id != command.author.member_id:
            raise errors.Forbidden("edit_not_author")
        if target_message.deleted:
            raise errors.Conflict("message_deleted")
        is_noop = target_message.text == command.message
        entry = events.Edit(
            **self._allocate_fields(room, command.author, is_noop), target=command.target, message=command.message
        )
        if is_noop:
            return entry
        self._add_change_row(room, entry, command, target=command.target, text=command.message)
        self._deferred.append((self._statements.update_text, (command.message, entry.seq, room.id, command.target)))
        self._mentions.remove(room, command.target)
        self._mentions.add(room, command.target, command.mentions)
        self._index_updates.append((target_message.id, room.id, target_message.text, command.message))
        target_message.text = command.message
        return entry

    def _append_deletion(self, room: BatchRoom, command: AppendDeletion) -> events.Entry:
        target_message = self._require_target(room, command.target)
        if target_message.member_id != command.author.member_id and not command.any_author:
            raise errors.Forbidden("delete_not_author")
        is_noop = target_message.deleted
        entry = events.Deletion(**self._allocate_fields(room, command.author, is_noop), target=command.target)
        if is_noop:
            return entry
        self._index_updates.append((target_message.id, room.id, target_message.text, None))
        target_message.text, target_message.deleted = "", True
        room.reactions = {reaction for reaction in room.reactions if reaction[0] != command.target}
        self._add_change_row(room, entry, command, target=command.target)
        room.reaction_counts.pop(command.target, None)
        self._mentions.remove(room, command.target)
        self._attachments.remove(room, command.target)
        self._deferred += [(statement, (room.id, command.target)) for statement in self._statements.erase_message]
        return entry

    def _append_reaction(self, room: BatchRoom, command: AppendReaction) -> events.Entry:
        target_message = self._require_target(room, command.target)
        if target_message.deleted and command.on:
            raise errors.Conflict("message_deleted")
        author = command.author
        reaction_key = (command.target, command.emoji, author.member_id)
        is_noop = (reaction_key in room.reactions) == command.on
        counts = room.reaction_counts.setdefault(command.target, {})
        if not is_noop and command.emoji not in counts and len(counts) >= REACTIONS_PER_MESSAGE:
            raise errors.Conflict("too_many_reactions", limit=REACTIONS_PER_MESSAGE)
        entry = events.Reaction(
            **self._allocate_fields(room, author, is_noop),
            target=command.target,
            emoji=command.emoji,
            on=command.on,
        )
        if is_noop:
            return entry
        self._add_change_row(room, entry, command, target=command.target, emoji=command.emoji, is_on=command.on)
        count = counts.get(command.emoji, 0) + (1 if command.on else -1)
        if command.on:
            room.reactions.add(reaction_key)
            row = (room.id, *reaction_key, author.nick_name, entry.seq)
            self._deferred.append((self._statements.insert_reaction, row))
        else:
            room.reactions.discard(reaction_key)
            self._deferred.append((self._statements.delete_reaction, (room.id, *reaction_key)))
        count_key = (room.id, command.target, command.emoji)
        if count:
            counts[command.emoji] = count
            self._deferred.append((self._statements.count_reaction, (*count_key, entry.seq, count, count)))
        else:
            del counts[command.emoji]
            self._deferred.append((self._statements.delete_reaction_count, count_key))
        return entry

    def _append_topic(self, room: BatchRoom, command: AppendTopic) -> events.Entry:
        entry = events.TopicChange(**self._allocate_fields(room, command.author), topic=command.topic)
        self._add_change_row(room, entry, command, text=command.topic)
        self._deferred.append((self._statements.set_topic, (command.topic, fold(command.topic), room.id)))
        return entry

    def _append_access_change(self, room: BatchRoom, command: AccessCommand) -> events.Entry:
        effect = apply_access_change(self._connection, room, command, self._now)
        entry = effect.entry_type(**self._allocate_fields(room, command.author, effect.is_noop), **effect.fields)
        if effect.is_noop:
            return entry
        if effect.is_revoking:
            room.policy_seq = entry.seq
        room.name = effect.fields.get("new_name") or room.name
        self._add_change_row(room, entry, command, text=encode_fields(entry))
        return entry

    def _read_newest_change(self, room: BatchRoom) -> events.Entry | None:
        """Return the newest stored entry of a room, or None if the entry is a message or not stored yet.

        The entry replaces the result of a repeated change without effect after an uncertain commit, so that readers
        receive the entry or detect the gap before it. A newest message is published already.
        """
        in_room = select(entries).where(entries.c.room_id == room.id)
        row = self._connection.execute(in_room.where(entries.c.seq == room.last_seq)).one_or_none()
        return entry_from_row(room.name, row) if row is not None and row.kind != KIND_MESSAGE else None

    def _require_target(self, room: BatchRoom, seq: int) -> TargetMessage:
        """Return the message with a `seq`, even a deleted one; raise `NotFound` for any other `seq`."""
        target_message = room.targets.get(seq)
        if target_message is None:
            raise errors.NotFound("message_not_found")
        return target_message

    def _allocate_fields(self, room: BatchRoom, author: events.Member, is_noop: bool = False) -> dict[str, Any]:
        """Return the common fields of a change; allocate its id, `seq` and `ts` unless `is_noop`.

        A no-op has id 0, and the newest `seq` and `ts` of the room.
        """
        return {
            "id": 0 if is_noop else self._allocate_entry(room),
            "room": room.name,
            "seq": room.last_seq,
            "ts": room.active_at,
            "member_id": author.member_id,
            "nick_name": author.nick_name,
        }

    def _allocate_entry(self, room: BatchRoom) -> int:
        """Return the id of a new entry; `last_seq` and `active_at` of the room become its `seq` and `ts`.

        Without reserved ids, the first allocation reserves ids for all commands of the batch.
        """
        if self._entry_ids is None:
            self._entry_ids = self._statements.allocate_ids(self._connection, self._command_count)
        room.entry_count += 1
        room.last_seq += 1
        room.active_at = max(self._now, room.active_at)
        return next(self._entry_ids)

    def _add_change_row(
        self,
        room: BatchRoom,
        entry: events.Entry,
        command: LogCommand,
        *,
        target: int | None = None,
        text: str = "",
        emoji: str | None = None,
        is_on: bool | None = None,
    ) -> None:
        """Queue the row of a change; `entry` and `command` provide the other columns."""
        kind = type(entry).__struct_config__.tag  # the wire kind is the stored kind
        client_id = None if command.client_id is None else command.client_id.hex
        identity = (command.author.member_id, command.author.nick_name, command.author.account)
        content = (text, emoji, is_on, entry.ts, client_id, room.last_n)
        self._change_rows.append((entry.id, room.id, entry.seq, kind, target, *identity, *content))

    def flush(self) -> None:
        """Write all queued rows and the search index; called once, after the last command of the batch.

        A removed room with a new entry becomes public. No statement runs if no row is queued.
        """
        changed_rooms = [room for room in self._rooms.values() if room.entry_count]
        if changed_rooms:
            rows = [(room.last_seq, room.last_n, room.active_at, room.policy_seq, room.id) for room in changed_rooms]
            self._statements.entry_writer.write(self._connection, rows, self._message_rows)
        removed_ids = [(room.id,) for room in changed_rooms if room.visibility == REMOVED]
        if removed_ids:
            self._statements.restore_room.execute_many(self._connection, removed_ids)
        if self._change_rows:
            self._statements.insert_change.execute_many(self._connection, self._change_rows)
        for statement, values in self._deferred:
            statement.execute(self._connection, *values)
        self._attachments.flush()
        self._mentions.flush(self._connection)
        self._statements.search_index.update(self._connection, self._index_updates)

    _APPEND_METHODS: ClassVar[dict[type[LogCommand], Callable[[Self, BatchRoom, Any], events.Entry]]] = {
        AppendMessage: _append_message,
        AppendEdit: _append_edit,
        AppendDeletion: _append_deletion,
        AppendReaction: _append_reaction,
        AppendTopic: _append_topic,
        **dict.fromkeys(get_args(AccessCommand), _append_access_change),
    }
    """Methods by command; a table of bound methods would be a reference cycle in each batch."""
