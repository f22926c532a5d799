"""The journal against a model: whatever is written in whatever batches, the log is what was accepted."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.log_commands import (
    AppendDeletion,
    AppendEdit,
    AppendMessage,
    AppendReaction,
    AppendTopic,
    Author,
    LogCommand,
)
from server.storage.batch_writer import AppendResult
from server.storage.database import open_database
from tests.support.storage import (
    ANN,
    BEN,
    MOD,
    ManualClock,
    build_deletion,
    build_edit,
    build_message,
    build_reaction,
    build_topic,
)
from tui_chat.protocol.errors import ChatError, Conflict, Forbidden, NotFound
from tui_chat.protocol.events import Message

authors = st.sampled_from([ANN, BEN, MOD])
targets = st.integers(1, 12)
client_ids = st.none() | st.integers(1, 4).map(lambda number: UUID(int=number))
drafts = st.one_of(
    st.builds(build_message, st.sampled_from("abc"), by=authors, client_id=client_ids, reply_to=st.none() | targets),
    st.builds(build_edit, targets, st.sampled_from("xyz"), by=authors),
    st.builds(build_deletion, targets, by=authors),
    st.builds(build_reaction, targets, st.sampled_from("🎉👍"), on=st.booleans(), by=authors),
    st.builds(build_topic, st.sampled_from(["", "news"]), by=authors),
)


@dataclass
class Said:
    author: Author
    text: str
    edited: int | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def react(self, emoji: str, member: str, on: bool) -> None:
        members = self.reactions.get(emoji, [])
        if on and member not in members:
            self.reactions[emoji] = [*members, member]
        if not on and member in members:
            members.remove(member)
            if not members:
                del self.reactions[emoji]


class Model:
    """What a room should be: the rules of the wire, one draft at a time, in memory."""

    def __init__(self) -> None:
        self.last_seq = 0
        self.topic = ""
        self.said: dict[int, Said] = {}
        self.taken: dict[UUID, tuple[str, int]] = {}

    def judge(self, draft: LogCommand) -> tuple[int, bool] | type[ChatError]:
        """The entry's seq and whether it is a duplicate, or the kind of the refusal."""
        try:
            return self._append(draft)
        except ChatError as refusal:
            return type(refusal)

    def _append(self, draft: LogCommand) -> tuple[int, bool]:
        match draft:
            case AppendMessage(client_id=client_id, reply_to=reply_to, author=author):
                if client_id is not None and client_id in self.taken:
                    owner, seq = self.taken[client_id]
                    if owner != author.member_id:
                        raise Conflict("")
                    return seq, True
                if reply_to is not None and reply_to not in self.said:
                    raise NotFound("")
                self.last_seq += 1
                self.said[self.last_seq] = Said(author, draft.message)
                if client_id is not None:
                    self.taken[client_id] = (author.member_id, self.last_seq)
            case AppendTopic():
                self.last_seq += 1
                self.topic = draft.topic
            case AppendEdit() | AppendDeletion() | AppendReaction():
                changed = self._change(draft)
                return self.last_seq, not changed
        return self.last_seq, False

    def _change(self, draft: AppendEdit | AppendDeletion | AppendReaction) -> bool:
        """Whether it changes anything."""
        said = self.said.get(draft.target)
        if said is None:
            raise NotFound("")
        if not isinstance(draft, AppendReaction) and said.author != draft.author and not draft.author.is_moderator:
            raise Forbidden("")
        if said.deleted and (isinstance(draft, AppendEdit) or (isinstance(draft, AppendReaction) and draft.on)):
            raise Conflict("")
        match draft:
            case AppendEdit():
                stands = said.text == draft.message
            case AppendDeletion():
                stands = said.deleted
            case AppendReaction():
                stands = (draft.author.member_id in said.reactions.get(draft.emoji, [])) == draft.on
        if stands:
            return False
        self.last_seq += 1
        match draft:
            case AppendEdit():
                said.text, said.edited = draft.message, self.last_seq
            case AppendDeletion():
                said.text, said.deleted = "", True
                said.reactions.clear()
            case AppendReaction():
                said.react(draft.emoji, draft.author.member_id, draft.on)
        return True


async def check(batches: list[list[LogCommand]]) -> None:
    model = Model()
    with TemporaryDirectory() as folder:
        database = await open_database(Path(folder) / "chat.db", clock=ManualClock())
        try:
            for batch in batches:
                pending = [database.journal.append(draft) for draft in batch]
                outcomes = await asyncio.gather(*pending, return_exceptions=True)
                for draft, outcome in zip(batch, outcomes, strict=True):
                    expected = model.judge(draft)
                    if isinstance(outcome, AppendResult):
                        assert (outcome.entry.seq, outcome.duplicate) == expected
                    else:
                        assert type(outcome) is expected
            backlog = await database.reader.read_join_snapshot("lounge", since=None, limit=1000)
        finally:
            await database.close()
    assert [entry.seq for entry in backlog.entries] == list(range(1, model.last_seq + 1))
    assert (backlog.room is None) == (model.last_seq == 0)
    if backlog.room is not None:
        assert (backlog.room.topic, backlog.room.last_seq) == (model.topic, model.last_seq)
    messages = {entry.seq: entry for entry in backlog.entries if isinstance(entry, Message)}
    assert messages.keys() == model.said.keys()
    for seq, said in model.said.items():
        shown = messages[seq]
        assert (shown.message, shown.edited, shown.deleted) == (said.text, said.edited, said.deleted)
        assert shown.reactions == (said.reactions or None)
        assert list(shown.reactions or {}) == list(said.reactions)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(drafts, min_size=1, max_size=12), min_size=1, max_size=5))
def test_the_log_is_what_was_accepted_whatever_the_batches(batches: list[list[LogCommand]]) -> None:
    asyncio.run(check(batches))
