"""Validation and write of one batch of log commands in a single transaction.

- Sequential semantics: each command sees the effects of all earlier commands of its batch.
- Rejection: a rejected command writes nothing, consumes no `seq`, and does not affect other commands.
- Lock order: rows of existing rooms in key order, then rows of rooms created by the batch, then the id counter. The
  locks last until the commit, so writers of other nodes wait for the whole batch.
- Room creation: only commands that cannot be rejected create a room, so no batch leaves an empty room behind.
- No-op changes: an edit to the current text, an existing reaction, an absent reaction to remove, or a second
  deletion creates no entry. The result then carries the newest `seq` of the room, so repeats after a lost
  connection are safe.
- Deletion: a deleted message accepts no edit and no new reaction. Its text, the texts of its edits and its
  reactions are erased from storage.
- Search index: updated in the same transaction as the entries.
"""

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from server.domain.log_commands import (
    AppendDeletion,
    AppendEdit,
    AppendMessage,
    AppendReaction,
    AppendTopic,
    Author,
    LogCommand,
)
from server.storage.row_mapping import KIND_DELETE, KIND_EDIT, KIND_MESSAGE, KIND_REACTION, KIND_TOPIC
from server.storage.statements import BatchStatements, CompiledStatement
from server.storage.tables import ENTRY_COUNTER
from tui_chat.protocol.errors import ChatError, Conflict, Forbidden, NotFound
from tui_chat.protocol.events import Deletion, Edit, Entry, Message, Reaction, TopicChange


class AppendResult(Struct, frozen=True):
    """Result of an accepted command.

    Attributes:
        entry: Committed entry. For a repeated message, the original in its current state without reactions. For a
            no-op change, an entry with the newest `seq` of the room and id 0.
        duplicate: Nothing was written: the clientId was committed before, or the change is a no-op.
    """

    entry: Entry
    duplicate: bool


AppendOutcome = AppendResult | ChatError


class _TargetMessage(Struct):
    id: int
    member_id: str
    text: str
    deleted: bool


_ReactionKey = tuple[int, str, str]
"""Existing reaction: `seq` of the message, emoji, member id."""


class _BatchRoom(Struct, eq=False):
    """Working state of a room during a batch.

    Attributes:
        key: Canonical key of the name.
        name: Display name; the stored name, if the room exists.
        id: Room id, None if the room neither exists nor is created by the batch.
        stored_seq: `last_seq` before the batch.
        last_seq: `last_seq` after the commands processed so far.
        active_at: `ts` of the newest entry.
        topic: New topic, None if unchanged.
        by_client_id: Messages by clientId, stored or created by the batch.
        targets: Messages by `seq` that commands of the batch refer to.
        reactions: Existing reactions that commands of the batch refer to.
    """

    key: str
    name: str
    id: int | None = None
    stored_seq: int = 0
    last_seq: int = 0
    active_at: int = 0
    topic: str | None = None
    by_client_id: dict[str, Message] = {}
    targets: dict[int, _TargetMessage] = {}
    reactions: set[_ReactionKey] = set()


class _DeferredStatement(Struct, frozen=True):
    """Statement that runs after the insertion of all entries.

    Attributes:
        statement: Compiled statement.
        room: Room that supplies the id parameter.
        params_before_room_id: Parameters before the room id.
        params_after_room_id: Parameters after the room id.
    """

    statement: CompiledStatement
    room: _BatchRoom
    params_before_room_id: tuple[Any, ...]
    params_after_room_id: tuple[Any, ...]


def apply_batch(
    connection: Connection,
    statements: BatchStatements,
    commands: Sequence[LogCommand],
    now: int,
    republish: Collection[LogCommand] = frozenset(),
) -> list[AppendOutcome]:
    """Validate and write a batch of commands inside the transaction of the caller.

    Args:
        connection: Connection with an open write transaction.
        statements: Compiled statements for the dialect of the connection.
        commands: Log commands in order of arrival.
        now: Milliseconds since the epoch. `ts` of an entry is the maximum of `now` and the newest `ts` of the room,
            so a clock adjustment never reverses the order.
        republish: Changes from uncertain commits, which get an entry even as no-ops.

    Returns:
        One result or error per command, in the given order.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: A statement failed; the caller must roll back the transaction.
    """
    return BatchWriter(connection, statements, commands, now, republish).apply()


class BatchWriter:
    """Working state of one batch: loaded rows, pending rows and deferred statements."""

    def __init__(
        self,
        connection: Connection,
        statements: BatchStatements,
        commands: Sequence[LogCommand],
        now: int,
        republish: Collection[LogCommand],
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._commands = commands
        self._now = now
        self._republish = republish
        self._rooms: dict[str, _BatchRoom] = {}
        self._next_id = 0
        self._entry_rows: list[tuple[Any, ...]] = []
        self._deferred_statements: list[_DeferredStatement] = []
        self._index_adds: list[tuple[_BatchRoom, int, str]] = []
        self._index_updates: list[tuple[_BatchRoom, int, str, str | None]] = []

    def apply(self) -> list[AppendOutcome]:
        """Validate all commands and write the accepted ones; see `apply_batch`.

        Call once per instance.
        """
        self._load()
        outcomes: list[AppendOutcome] = []
        for command in self._commands:
            try:
                outcomes.append(self._append(command))
            except ChatError as error:
                outcomes.append(error)
        if self._entry_rows:
            self._flush()
        return outcomes

    def _load(self) -> None:
        rooms, statements = self._rooms, self._statements
        for command in self._commands:
            if command.room.key not in rooms:
                rooms[command.room.key] = _BatchRoom(command.room.key, command.room.name)
        if len(rooms) > 1:
            self._rooms = rooms = dict(sorted(rooms.items()))
        self._lock_rooms(rooms)
        if any(room.id is None for room in rooms.values()):
            creatable_keys = {command.room.key for command in self._commands if _may_create_room(command)}
            missing_keys = [key for key, room in rooms.items() if room.id is None and key in creatable_keys]
            for key in missing_keys:
                values = (key, rooms[key].name, "", "public", 0, self._now, self._now)
                statements.create_room.execute(self._connection, *values)
            self._lock_rooms(missing_keys)
        client_ids: dict[str, list[str]] = {}
        seqs: dict[str, list[int]] = {}
        reactions: dict[str, list[AppendReaction]] = {}
        for command in self._commands:
            if isinstance(command, AppendMessage):
                if command.client_id is not None:
                    client_ids.setdefault(command.room.key, []).append(command.client_id.hex)
                if command.reply_to is not None:
                    seqs.setdefault(command.room.key, []).append(command.reply_to)
            elif not isinstance(command, AppendTopic):
                seqs.setdefault(command.room.key, []).append(command.target)
                if isinstance(command, AppendReaction):
                    reactions.setdefault(command.room.key, []).append(command)
        for key, room_client_ids in client_ids.items():
            self._load_by_client_id(rooms[key], room_client_ids)
        for key, room_seqs in seqs.items():
            self._load_targets(rooms[key], room_seqs)
        for key, commands in reactions.items():
            self._load_reactions(rooms[key], commands)

    def _lock_rooms(self, keys: Collection[str]) -> None:
        statements = self._statements
        for key, room_id, name, last_seq, active_at in statements.select_rooms.fetch_all(
            self._connection, statements.array_param(keys)
        ):
            room = self._rooms[key]
            room.name, room.id, room.active_at = name, room_id, active_at
            room.stored_seq = room.last_seq = last_seq

    def _load_by_client_id(self, room: _BatchRoom, client_ids: list[str]) -> None:
        if room.id is None:
            return
        rows = self._statements.select_by_client_id.fetch_all(
            self._connection, room.id, self._statements.array_param(client_ids)
        )
        for client_id, seq, entry_id, nick_name, member_id, text, ts, account, reply_to, edited, deleted in rows:
            room.by_client_id[client_id] = Message(
                room=room.name,
                seq=seq,
                id=entry_id,
                nick_name=nick_name,
                member_id=member_id,
                message=text,
                ts=ts,
                account=account,
                reply_to=reply_to,
                edited=edited,
                deleted=bool(deleted),
            )

    def _load_targets(self, room: _BatchRoom, seqs: list[int]) -> None:
        if room.id is None:
            return
        rows = self._statements.select_targets.fetch_all(self._connection, room.id, self._statements.array_param(seqs))
        room.targets = {
            seq: _TargetMessage(entry_id, member_id, text, bool(deleted))
            for seq, entry_id, member_id, text, deleted in rows
        }

    def _load_reactions(self, room: _BatchRoom, commands: list[AppendReaction]) -> None:
        if room.id is None:
            return
        targets = self._statements.array_param({command.target for command in commands})
        member_ids = self._statements.array_param({command.author.member_id for command in commands})
        room.reactions = {
            (target, emoji, member_id)
            for target, emoji, member_id in self._statements.select_reactions.fetch_all(
                self._connection, room.id, targets, member_ids
            )
        }

    def _append(self, command: LogCommand) -> AppendResult:
        room = self._rooms[command.room.key]
        match command:
            case AppendMessage():
                return self._append_message(room, command)
            case AppendEdit():
                return self._append_edit(room, command)
            case AppendDeletion():
                return self._append_deletion(room, command)
            case AppendReaction():
                return self._append_reaction(room, command)
            case AppendTopic():
                return AppendResult(self._append_topic(room, command), duplicate=False)

    def _append_message(self, room: _BatchRoom, command: AppendMessage) -> AppendResult:
        author = command.author
        client_id = None if command.client_id is None else command.client_id.hex
        if client_id is not None:
            original = room.by_client_id.get(client_id)
            if original is not None:
                if original.member_id != author.member_id:
                    raise Conflict("another member already uses this clientId in the room; generate a new one")
                return AppendResult(original, duplicate=True)
        if command.reply_to is not None:
            self._require_target(room, command.reply_to)
        entry_id, seq, ts = self._allocate_entry(room)
        entry = Message(
            room=room.name,
            seq=seq,
            id=entry_id,
            nick_name=author.nick_name,
            member_id=author.member_id,
            message=command.message,
            ts=ts,
            account=author.account,
            reply_to=command.reply_to,
        )
        self._add_entry_row(
            room, entry, KIND_MESSAGE, author, text=command.message, client_id=client_id, reply_to=command.reply_to
        )
        room.targets[seq] = _TargetMessage(entry_id, author.member_id, command.message, deleted=False)
        self._index_adds.append((room, entry_id, command.message))
        if client_id is not None:
            room.by_client_id[client_id] = entry
        return AppendResult(entry, duplicate=False)

    def _append_edit(self, room: _BatchRoom, command: AppendEdit) -> AppendResult:
        target_message = self._require_modifiable_target(room, command.target, command.author)
        if target_message.deleted:
            raise Conflict("the message was deleted")
        is_noop = target_message.text == command.message and command not in self._republish
        entry = Edit(
            **self._allocate_change_fields(room, command.author, is_noop),
            target=command.target,
            message=command.message,
        )
        if is_noop:
            return AppendResult(entry, duplicate=True)
        self._add_entry_row(room, entry, KIND_EDIT, command.author, target=command.target, text=command.message)
        self._deferred_statements.append(
            _DeferredStatement(self._statements.update_text, room, (command.message, entry.seq), (command.target,))
        )
        self._index_updates.append((room, target_message.id, target_message.text, command.message))
        target_message.text = command.message
        return AppendResult(entry, duplicate=False)

    def _append_deletion(self, room: _BatchRoom, command: AppendDeletion) -> AppendResult:
        target_message = self._require_modifiable_target(room, command.target, command.author)
        is_noop = target_message.deleted and command not in self._republish
        entry = Deletion(**self._allocate_change_fields(room, command.author, is_noop), target=command.target)
        if is_noop:
            return AppendResult(entry, duplicate=True)
        if not target_message.deleted:
            self._index_updates.append((room, target_message.id, target_message.text, None))
            target_message.text, target_message.deleted = "", True
        room.reactions = {reaction for reaction in room.reactions if reaction[0] != command.target}
        self._add_entry_row(room, entry, KIND_DELETE, command.author, target=command.target)
        self._deferred_statements += [
            _DeferredStatement(self._statements.redact, room, ("", True), (command.target,)),
            _DeferredStatement(self._statements.redact_edits, room, ("",), (command.target,)),
            _DeferredStatement(self._statements.delete_reactions, room, (), (command.target,)),
        ]
        return AppendResult(entry, duplicate=False)

    def _append_reaction(self, room: _BatchRoom, command: AppendReaction) -> AppendResult:
        target_message = self._require_target(room, command.target)
        if target_message.deleted and command.on:
            raise Conflict("the message was deleted")
        author = command.author
        reaction_key = (command.target, command.emoji, author.member_id)
        is_noop = (reaction_key in room.reactions) == command.on and command not in self._republish
        entry = Reaction(
            **self._allocate_change_fields(room, author, is_noop),
            target=command.target,
            emoji=command.emoji,
            on=command.on,
        )
        if is_noop:
            return AppendResult(entry, duplicate=True)
        self._add_entry_row(
            room, entry, KIND_REACTION, author, target=command.target, emoji=command.emoji, is_on=command.on
        )
        if command.on:
            room.reactions.add(reaction_key)
            self._deferred_statements += [
                _DeferredStatement(self._statements.insert_reaction, room, (), (*reaction_key, entry.seq, entry.seq)),
                _DeferredStatement(self._statements.inherit_position, room, (), (command.target, command.emoji)),
            ]
        else:
            room.reactions.discard(reaction_key)
            self._deferred_statements.append(
                _DeferredStatement(self._statements.delete_reaction, room, (), reaction_key)
            )
        return AppendResult(entry, duplicate=False)

    def _append_topic(self, room: _BatchRoom, command: AppendTopic) -> TopicChange:
        entry = TopicChange(**self._allocate_change_fields(room, command.author), topic=command.topic)
        self._add_entry_row(room, entry, KIND_TOPIC, command.author, text=command.topic)
        room.topic = command.topic
        return entry

    def _require_target(self, room: _BatchRoom, seq: int) -> _TargetMessage:
        target_message = room.targets.get(seq)
        if target_message is None:
            raise NotFound("no such message")
        return target_message

    def _require_modifiable_target(self, room: _BatchRoom, seq: int, author: Author) -> _TargetMessage:
        target_message = self._require_target(room, seq)
        if target_message.member_id != author.member_id and not author.is_moderator:
            raise Forbidden("only the author or a moderator can change this message")
        return target_message

    def _allocate_entry(self, room: _BatchRoom) -> tuple[int, int, int]:
        """Allocate id, `seq` and `ts` of a new entry.

        The first call reserves ids for all commands of the batch in the database. `last_seq` and
        `active_at` of the room take the new `seq` and `ts`; `ts` never decreases within a room.
        """
        if not self._entry_rows:
            count = len(self._commands)
            ((last_id,),) = self._statements.allocate_ids.fetch_all(self._connection, count, ENTRY_COUNTER)
            self._next_id = last_id - count
        self._next_id += 1
        room.last_seq += 1
        room.active_at = max(self._now, room.active_at)
        return self._next_id, room.last_seq, room.active_at

    def _allocate_change_fields(self, room: _BatchRoom, author: Author, is_noop: bool = False) -> dict[str, Any]:
        """Return the common fields of a change; allocate an entry unless `is_noop`."""
        entry_id, seq, ts = (0, room.last_seq, room.active_at) if is_noop else self._allocate_entry(room)
        return {
            "room": room.name,
            "seq": seq,
            "id": entry_id,
            "ts": ts,
            "member_id": author.member_id,
            "nick_name": author.nick_name,
        }

    def _add_entry_row(
        self,
        room: _BatchRoom,
        entry: Entry,
        kind: str,
        author: Author,
        *,
        target: int | None = None,
        text: str = "",
        emoji: str | None = None,
        is_on: bool | None = None,
        client_id: str | None = None,
        reply_to: int | None = None,
    ) -> None:
        content = (
            author.member_id,
            author.nick_name,
            author.account,
            text,
            emoji,
            is_on,
            entry.ts,
            client_id,
            reply_to,
        )
        self._entry_rows.append((entry.id, room.id, entry.seq, kind, target, *content, False))

    def _flush(self) -> None:
        room_updates = [
            (room.topic, room.last_seq - room.stored_seq, room.active_at, room.id)
            for room in self._rooms.values()
            if room.last_seq > room.stored_seq
        ]
        self._statements.bump_seq.execute_many(self._connection, room_updates)
        self._statements.insert_entry.execute_many(self._connection, self._entry_rows)
        for deferred in self._deferred_statements:
            deferred.statement.execute(
                self._connection, *deferred.params_before_room_id, deferred.room.id, *deferred.params_after_room_id
            )
        search_index = self._statements.search_index
        search_index.add(
            self._connection, [(entry_id, _require_room_id(room), text) for room, entry_id, text in self._index_adds]
        )
        search_index.update(
            self._connection,
            [
                (entry_id, _require_room_id(room), old_text, new_text)
                for room, entry_id, old_text, new_text in self._index_updates
            ],
        )


def _require_room_id(room: _BatchRoom) -> int:
    assert room.id is not None  # true for each room with an accepted command
    return room.id


def _may_create_room(command: LogCommand) -> bool:
    return isinstance(command, AppendTopic) or (isinstance(command, AppendMessage) and command.reply_to is None)
