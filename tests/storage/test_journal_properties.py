"""Journal compared with an in-memory model for arbitrary batches."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from hypothesis import given, settings, strategies as st

from server.domain.log_commands import (
    AppendDeletion,
    AppendEdit,
    AppendMessage,
    AppendReaction,
    AppendTopic,
    ContentCommand,
)
from server.storage.batch_writer import AppendResult
from server.storage.database import open_database
from tests.support.reactions import reacting_members
from tests.support.storage import (
    ANN,
    BEN,
    ManualClock,
    build_deletion,
    build_edit,
    build_message,
    build_reaction,
    build_topic,
)
from tui_chat.protocol.errors import ChatError, Conflict, Forbidden, NotFound
from tui_chat.protocol.events import Member, Message

authors = st.sampled_from([ANN, BEN])
targets = st.integers(1, 12)
client_ids = st.none() | st.integers(1, 4).map(lambda number: UUID(int=number))
commands = st.one_of(
    st.builds(
        build_message, st.sampled_from("abc"), author=authors, client_id=client_ids, reply_to=st.none() | targets
    ),
    st.builds(build_edit, targets, st.sampled_from("xyz"), author=authors),
    st.builds(build_deletion, targets, author=authors, any_author=st.booleans()),
    st.builds(build_reaction, targets, st.sampled_from("🎉👍"), on=st.booleans(), by=authors),
    st.builds(build_topic, st.sampled_from(["", "news"]), author=authors),
)


@dataclass
class ModelMessage:
    """Message of the model; `edited` is the `seq` of its newest edit."""

    author: Member
    text: str
    edited: int | None = None
    deleted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def react(self, emoji: str, member_id: str, on: bool) -> None:
        """Add or remove the reaction of a member."""
        member_ids = self.reactions.get(emoji, [])
        if on and member_id not in member_ids:
            self.reactions[emoji] = [*member_ids, member_id]
        if not on and member_id in member_ids:
            member_ids.remove(member_id)
            if not member_ids:
                del self.reactions[emoji]


class ModelLog:
    """Model of one room log, which applies one command at a time."""

    def __init__(self) -> None:
        self.last_seq = 0
        self.topic = ""
        self.messages: dict[int, ModelMessage] = {}
        self.client_ids: dict[UUID, tuple[str, int]] = {}

    def apply(self, command: ContentCommand) -> tuple[int, bool] | type[ChatError]:
        """Apply a command, and return the `seq` and the `duplicate` flag of its result, or its error type."""
        try:
            return self._append(command)
        except ChatError as error:
            return type(error)

    def _append(self, command: ContentCommand) -> tuple[int, bool]:
        match command:
            case AppendMessage(client_id=client_id, reply_to=reply_to, author=author):
                if client_id is not None and client_id in self.client_ids:
                    owner, seq = self.client_ids[client_id]
                    if owner != author.member_id:
                        raise Conflict("client_id_in_use")
                    return seq, True
                if reply_to is not None and reply_to not in self.messages:
                    raise NotFound("message_not_found")
                self.last_seq += 1
                self.messages[self.last_seq] = ModelMessage(author, command.message)
                if client_id is not None:
                    self.client_ids[client_id] = (author.member_id, self.last_seq)
            case AppendTopic():
                self.last_seq += 1
                self.topic = command.topic
            case AppendEdit() | AppendDeletion() | AppendReaction():
                has_effect = self._change(command)
                return self.last_seq, not has_effect
        return self.last_seq, False

    def _change(self, command: AppendEdit | AppendDeletion | AppendReaction) -> bool:
        """Return whether the command has an effect."""
        message = self.messages.get(command.target)
        if message is None:
            raise NotFound("message_not_found")
        if message.author != command.author and not isinstance(command, AppendReaction):
            if isinstance(command, AppendEdit):
                raise Forbidden("edit_not_author")
            if not command.any_author:
                raise Forbidden("delete_not_author")
        if message.deleted and (
            isinstance(command, AppendEdit) or (isinstance(command, AppendReaction) and command.on)
        ):
            raise Conflict("message_deleted")
        match command:
            case AppendEdit():
                is_noop = message.text == command.message
            case AppendDeletion():
                is_noop = message.deleted
            case AppendReaction():
                is_noop = (command.author.member_id in message.reactions.get(command.emoji, [])) == command.on
        if is_noop:
            return False
        self.last_seq += 1
        match command:
            case AppendEdit():
                message.text, message.edited = command.message, self.last_seq
            case AppendDeletion():
                message.text, message.deleted = "", True
                message.reactions.clear()
            case AppendReaction():
                message.react(command.emoji, command.author.member_id, command.on)
        return True


async def assert_journal_matches_model(batches: list[list[ContentCommand]]) -> None:
    model = ModelLog()
    with TemporaryDirectory() as directory:
        database = await open_database(Path(directory) / "chat.db", clock=ManualClock())
        try:
            for batch in batches:
                pending = [database.journal.append(command) for command in batch]
                outcomes = await asyncio.gather(*pending, return_exceptions=True)
                for command, outcome in zip(batch, outcomes, strict=True):
                    expected = model.apply(command)
                    if isinstance(outcome, AppendResult):
                        assert (outcome.entry.seq, outcome.duplicate) == expected
                    else:
                        assert type(outcome) is expected
            snapshot = await database.reader.read_join_snapshot("lounge", since=None, limit=1000)
        finally:
            await database.close()
    assert [entry.seq for entry in snapshot.entries] == list(range(1, model.last_seq + 1))
    assert (snapshot.room is None) == (model.last_seq == 0)
    if snapshot.room is not None:
        assert (snapshot.room.topic, snapshot.room.last_seq) == (model.topic, model.last_seq)
    stored_messages = {entry.seq: entry for entry in snapshot.entries if isinstance(entry, Message)}
    assert [message.n for message in stored_messages.values()] == list(range(1, len(model.messages) + 1))
    assert stored_messages.keys() == model.messages.keys()
    for seq, message in model.messages.items():
        stored = stored_messages[seq]
        assert (stored.message, stored.edited, stored.deleted) == (message.text, message.edited, message.deleted)
        assert reacting_members(stored) == message.reactions
        assert list(stored.reactions or {}) == list(message.reactions)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(commands, min_size=1, max_size=12), min_size=1, max_size=5))
def test_results_and_stored_log_match_the_model_for_any_batches(batches: list[list[ContentCommand]]) -> None:
    asyncio.run(assert_journal_matches_model(batches))
