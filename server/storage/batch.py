"""One batch of drafts, judged and written inside one transaction.

Rule 1  A draft is judged as if all before it in the batch were already written.
Rule 2  A refused draft writes nothing, takes no `seq`, and changes nothing for the others.
Rule 3  A room's row is locked before it is read and until the commit: first the rooms
        that exist, in the order of their keys, then those that this batch opens,
        then the counter of ids. Writers on other nodes wait for the whole batch.
        A room is opened for a draft that stands on its own, and so is certain to
        be accepted: no batch leaves a room empty.
Rule 4  A change that changes nothing (the text that stands, a reaction that is there, a
        second deletion) is no entry: who repeats one after a break does it no harm.
        Its answer names the room's newest entry, as of which it is so.
Rule 5  What was deleted does not come back: no edit and no new reaction is taken,
        and its text, that of its edits, and its reactions are gone from storage.
Rule 6  What is said, changed or deleted is so in the index of the search too, in
        the same transaction.
"""

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from server.domain.drafts import Author, DeletionDraft, Draft, EditDraft, MessageDraft, ReactionDraft, TopicDraft
from server.protocol.entries import Deletion, Edit, Entry, Message, Reaction, TopicChange
from server.protocol.errors import ChatError, Conflict, Forbidden, NotFound
from server.storage.rows import DELETE, EDIT, MESSAGE, REACTION, TOPIC
from server.storage.statements import Prepared, Statements

ENTRY_COUNTER = "entry"
"""The name in `counters` under which ids of entries are given out."""


class Appended(Struct, frozen=True):
    """What became of a draft that was accepted.

    Attributes:
        entry: As it is in the log; for a duplicate the first one, in its
            present state but without its reactions.
            For a change that changes nothing it is that change, in the place of
            the room's newest entry.
        duplicate: The draft's clientId was committed before, or it changes nothing;
            nothing was written now.
    """

    entry: Entry
    duplicate: bool


Outcome = Appended | ChatError


class _Said(Struct):
    id: int
    member_id: str
    text: str
    deleted: bool


_Chosen = tuple[int, str, str]
"""A reaction that stands: the message's `seq`, the emoji, the member."""


class _Room(Struct, eq=False):
    """A room while its drafts are judged; `id` is None when it does not exist and nothing can open it."""

    key: str
    name: str
    id: int | None = None
    stored_seq: int = 0
    last_seq: int = 0
    active_at: int = 0
    topic: str | None = None
    taken: dict[str, Message] = {}
    said: dict[int, _Said] = {}
    chosen: set[_Chosen] = set()


class _Change(Struct, frozen=True):
    """A statement to run when all entries are in; its parameters are `before`, the room's id, `after`."""

    statement: Prepared
    room: _Room
    before: tuple[Any, ...]
    after: tuple[Any, ...]


def write(
    connection: Connection,
    statements: Statements,
    drafts: Sequence[Draft],
    now: int,
    untold: Collection[Draft] = frozenset(),
) -> list[Outcome]:
    """Write what may be written, inside the caller's transaction.

    Args:
        untold: Changes that may stand already with nobody told of them; each gets an entry all the same.
        now: Milliseconds since the epoch. An entry's `ts` is this, or that of
            the room's newest entry when the clock went backwards.

    Returns:
        For each draft its entry or its refusal, in the order given.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: Roll back; nothing was written.
    """
    return _Batch(connection, statements, drafts, now, untold).write()


class _Batch:
    def __init__(
        self,
        connection: Connection,
        statements: Statements,
        drafts: Sequence[Draft],
        now: int,
        untold: Collection[Draft],
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._drafts = drafts
        self._now = now
        self._untold = untold
        self._rooms: dict[str, _Room] = {}
        self._next_id = 0
        self._rows: list[tuple[Any, ...]] = []
        self._changes: list[_Change] = []
        self._spoken: list[tuple[_Room, int, str]] = []
        self._reworded: list[tuple[_Room, int, str, str | None]] = []

    def write(self) -> list[Outcome]:
        self._read()
        outcomes: list[Outcome] = []
        for draft in self._drafts:
            try:
                outcomes.append(self._append(draft))
            except ChatError as refusal:
                outcomes.append(refusal)
        if self._rows:
            self._save()
        return outcomes

    def _read(self) -> None:
        rooms, statements = self._rooms, self._statements
        for draft in self._drafts:
            if draft.room.key not in rooms:
                rooms[draft.room.key] = _Room(draft.room.key, draft.room.name)
        if len(rooms) > 1:
            self._rooms = rooms = dict(sorted(rooms.items()))
        self._lock(rooms)
        if any(room.id is None for room in rooms.values()):
            wanted = {draft.room.key for draft in self._drafts if _stands_alone(draft)}
            opened = [key for key, room in rooms.items() if room.id is None and key in wanted]
            for key in opened:
                values = (key, rooms[key].name, "", "public", 0, self._now, self._now)
                statements.open_room.run(self._connection, *values)
            self._lock(opened)
        client_ids: dict[str, list[str]] = {}
        seqs: dict[str, list[int]] = {}
        reactions: dict[str, list[ReactionDraft]] = {}
        for draft in self._drafts:
            if isinstance(draft, MessageDraft):
                if draft.client_id is not None:
                    client_ids.setdefault(draft.room.key, []).append(draft.client_id.hex)
                if draft.reply_to is not None:
                    seqs.setdefault(draft.room.key, []).append(draft.reply_to)
            elif not isinstance(draft, TopicDraft):
                seqs.setdefault(draft.room.key, []).append(draft.target)
                if isinstance(draft, ReactionDraft):
                    reactions.setdefault(draft.room.key, []).append(draft)
        for key, wanted in client_ids.items():
            self._read_taken(rooms[key], wanted)
        for key, wanted in seqs.items():
            self._read_said(rooms[key], wanted)
        for key, drafts in reactions.items():
            self._read_chosen(rooms[key], drafts)

    def _lock(self, keys: Collection[str]) -> None:
        statements = self._statements
        for key, number, name, last_seq, active_at in statements.rooms.all(self._connection, statements.several(keys)):
            room = self._rooms[key]
            room.name, room.id, room.active_at = name, number, active_at
            room.stored_seq = room.last_seq = last_seq

    def _read_taken(self, room: _Room, client_ids: list[str]) -> None:
        if room.id is None:
            return
        found = self._statements.taken.all(self._connection, room.id, self._statements.several(client_ids))
        for client_id, seq, number, nick_name, member_id, text, ts, account, reply_to, edited, deleted in found:
            room.taken[client_id] = Message(
                room=room.name,
                seq=seq,
                id=number,
                nick_name=nick_name,
                member_id=member_id,
                message=text,
                ts=ts,
                account=account,
                reply_to=reply_to,
                edited=edited,
                deleted=bool(deleted),
            )

    def _read_said(self, room: _Room, seqs: list[int]) -> None:
        if room.id is None:
            return
        found = self._statements.said.all(self._connection, room.id, self._statements.several(seqs))
        room.said = {
            seq: _Said(number, member_id, text, bool(deleted)) for seq, number, member_id, text, deleted in found
        }

    def _read_chosen(self, room: _Room, drafts: list[ReactionDraft]) -> None:
        if room.id is None:
            return
        targets = self._statements.several({draft.target for draft in drafts})
        members = self._statements.several({draft.author.member_id for draft in drafts})
        room.chosen = {
            (target, emoji, member)
            for target, emoji, member in self._statements.chosen.all(self._connection, room.id, targets, members)
        }

    def _append(self, draft: Draft) -> Appended:
        room = self._rooms[draft.room.key]
        match draft:
            case MessageDraft():
                return self._message(room, draft)
            case EditDraft():
                return self._edit(room, draft)
            case DeletionDraft():
                return self._deletion(room, draft)
            case ReactionDraft():
                return self._reaction(room, draft)
            case TopicDraft():
                return Appended(self._topic(room, draft), duplicate=False)

    def _message(self, room: _Room, draft: MessageDraft) -> Appended:
        author = draft.author
        client_id = None if draft.client_id is None else draft.client_id.hex
        if client_id is not None:
            first = room.taken.get(client_id)
            if first is not None:
                if first.member_id != author.member_id:
                    raise Conflict("this clientId is taken in the room")
                return Appended(first, duplicate=True)
        if draft.reply_to is not None:
            self._target(room, draft.reply_to)
        number, seq, ts = self._place(room)
        entry = Message(
            room=room.name,
            seq=seq,
            id=number,
            nick_name=author.nick_name,
            member_id=author.member_id,
            message=draft.message,
            ts=ts,
            account=author.account,
            reply_to=draft.reply_to,
        )
        self._row(room, entry, MESSAGE, author, text=draft.message, client_id=client_id, reply_to=draft.reply_to)
        room.said[seq] = _Said(number, author.member_id, draft.message, deleted=False)
        self._spoken.append((room, number, draft.message))
        if client_id is not None:
            room.taken[client_id] = entry
        return Appended(entry, duplicate=False)

    def _edit(self, room: _Room, draft: EditDraft) -> Appended:
        said = self._own(room, draft.target, draft.author)
        if said.deleted:
            raise Conflict("the message was deleted")
        stands = said.text == draft.message and draft not in self._untold
        entry = Edit(**self._change(room, draft.author, stands), target=draft.target, message=draft.message)
        if stands:
            return Appended(entry, duplicate=True)
        self._row(room, entry, EDIT, draft.author, target=draft.target, text=draft.message)
        self._changes.append(_Change(self._statements.edit, room, (draft.message, entry.seq), (draft.target,)))
        self._reworded.append((room, said.id, said.text, draft.message))
        said.text = draft.message
        return Appended(entry, duplicate=False)

    def _deletion(self, room: _Room, draft: DeletionDraft) -> Appended:
        said = self._own(room, draft.target, draft.author)
        stands = said.deleted and draft not in self._untold
        entry = Deletion(**self._change(room, draft.author, stands), target=draft.target)
        if stands:
            return Appended(entry, duplicate=True)
        if not said.deleted:
            self._reworded.append((room, said.id, said.text, None))
            said.text, said.deleted = "", True
        room.chosen = {chosen for chosen in room.chosen if chosen[0] != draft.target}
        self._row(room, entry, DELETE, draft.author, target=draft.target)
        self._changes += [
            _Change(self._statements.blank, room, ("", True), (draft.target,)),
            _Change(self._statements.blank_edits, room, ("",), (draft.target,)),
            _Change(self._statements.clear_reactions, room, (), (draft.target,)),
        ]
        return Appended(entry, duplicate=False)

    def _reaction(self, room: _Room, draft: ReactionDraft) -> Appended:
        said = self._target(room, draft.target)
        if said.deleted and draft.on:
            raise Conflict("the message was deleted")
        author = draft.author
        chosen = (draft.target, draft.emoji, author.member_id)
        stands = (chosen in room.chosen) == draft.on and draft not in self._untold
        entry = Reaction(**self._change(room, author, stands), target=draft.target, emoji=draft.emoji, on=draft.on)
        if stands:
            return Appended(entry, duplicate=True)
        self._row(room, entry, REACTION, author, target=draft.target, emoji=draft.emoji, is_on=draft.on)
        if draft.on:
            room.chosen.add(chosen)
            self._changes += [
                _Change(self._statements.react, room, (), (*chosen, entry.seq, entry.seq)),
                _Change(self._statements.keep_place, room, (), (draft.target, draft.emoji)),
            ]
        else:
            room.chosen.discard(chosen)
            self._changes.append(_Change(self._statements.unreact, room, (), chosen))
        return Appended(entry, duplicate=False)

    def _topic(self, room: _Room, draft: TopicDraft) -> TopicChange:
        entry = TopicChange(**self._change(room, draft.author), topic=draft.topic)
        self._row(room, entry, TOPIC, draft.author, text=draft.topic)
        room.topic = draft.topic
        return entry

    def _target(self, room: _Room, seq: int) -> _Said:
        said = room.said.get(seq)
        if said is None:
            raise NotFound("there is no such message")
        return said

    def _own(self, room: _Room, seq: int, author: Author) -> _Said:
        said = self._target(room, seq)
        if said.member_id != author.member_id and not author.moderates:
            raise Forbidden("only its author or a moderator may change a message")
        return said

    def _place(self, room: _Room) -> tuple[int, int, int]:
        """The new entry's id, seq and ts."""
        if not self._rows:
            count = len(self._drafts)
            ((last,),) = self._statements.take_ids.all(self._connection, count, ENTRY_COUNTER)
            self._next_id = last - count
        self._next_id += 1
        room.last_seq += 1
        room.active_at = max(self._now, room.active_at)
        return self._next_id, room.last_seq, room.active_at

    def _change(self, room: _Room, author: Author, stands: bool = False) -> dict[str, Any]:
        number, seq, ts = (0, room.last_seq, room.active_at) if stands else self._place(room)
        return {
            "room": room.name,
            "seq": seq,
            "id": number,
            "ts": ts,
            "member_id": author.member_id,
            "nick_name": author.nick_name,
        }

    def _row(
        self,
        room: _Room,
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
        said = (author.member_id, author.nick_name, author.account, text, emoji, is_on, entry.ts, client_id, reply_to)
        self._rows.append((entry.id, room.id, entry.seq, kind, target, *said, False))

    def _save(self) -> None:
        grown = [
            (room.topic, room.last_seq - room.stored_seq, room.active_at, room.id)
            for room in self._rooms.values()
            if room.last_seq > room.stored_seq
        ]
        self._statements.grow.run_many(self._connection, grown)
        self._statements.add_entry.run_many(self._connection, self._rows)
        for change in self._changes:
            change.statement.run(self._connection, *change.before, change.room.id, *change.after)
        search = self._statements.search
        search.add(self._connection, [(number, _id(room), text) for room, number, text in self._spoken])
        search.change(self._connection, [(number, _id(room), old, new) for room, number, old, new in self._reworded])


def _id(room: _Room) -> int:
    assert room.id is not None  # something was accepted in it
    return room.id


def _stands_alone(draft: Draft) -> bool:
    return isinstance(draft, TopicDraft) or (isinstance(draft, MessageDraft) and draft.reply_to is None)
