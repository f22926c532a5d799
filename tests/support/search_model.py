"""Model-based test of the search, for any database: compare the index with a scan of all messages."""

from dataclasses import dataclass, field
from uuid import uuid4

from hypothesis import strategies as st
from msgspec.structs import replace

from server.domain.log_commands import AppendDeletion, AppendEdit, AppendMessage, LogCommand, RoomRef
from server.storage.batch_writer import AppendResult
from server.storage.database import Database
from tests.support.naive_search import matches
from tests.support.storage import build_deletion, build_edit, build_message, build_reaction
from tui_chat.protocol.errors import ChatError

PIECES = ["a", "abc", "abcd", "ABCDEF", "xyz", "é", "中", "国", "中国人", "ガ", "🎉", "-", "_", ".", " ", " "]
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join).filter(str.strip)
queries = st.lists(st.sampled_from([*PIECES, '"', "*", "AND", "("]), min_size=1, max_size=4).map("".join)
targets = st.integers(1, 8)
change_commands = [
    st.builds(build_edit, targets, texts),
    st.builds(build_deletion, targets),
    st.builds(build_reaction, targets),
]
commands = st.one_of(st.builds(build_message, texts), st.builds(build_message, texts), *change_commands)
command_batches = st.lists(st.lists(commands, min_size=1, max_size=6), min_size=1, max_size=4)


@dataclass
class SearchModel:
    """Current messages of two rooms.

    Attributes:
        messages: (id, text) by room key and `seq`.
    """

    messages: dict[tuple[str, int], tuple[int, str]] = field(default_factory=dict[tuple[str, int], tuple[int, str]])

    def record(self, command: LogCommand, outcome: AppendResult) -> None:
        """Apply a committed command to the model."""
        key = command.room.key
        match command:
            case AppendMessage():
                self.messages[key, outcome.entry.seq] = outcome.entry.id, command.message
            case AppendEdit():
                self.messages[key, command.target] = self.messages[key, command.target][0], command.message
            case AppendDeletion():
                self.messages.pop((key, command.target), None)
            case _:
                pass

    def search(self, query: str, room: str | None) -> list[int]:
        """Return the ids of the matching messages, newest first."""
        ids = [
            message_id
            for (key, _), (message_id, text) in self.messages.items()
            if room in {None, key} and matches(query, text)
        ]
        return sorted(ids, reverse=True)


async def check_search(database: Database, batches: list[list[LogCommand]], queries: list[str]) -> None:
    """Append `batches` to two new rooms, then compare all queries with the model at several page sizes."""
    rooms = [RoomRef(key=name, name=name) for name in (uuid4().hex, uuid4().hex)]
    model = SearchModel()
    for number, batch in enumerate(batches):
        room_commands = [
            replace(command, room=rooms[(number + position) % 2]) for position, command in enumerate(batch)
        ]
        for command, result in [(command, database.journal.append(command)) for command in room_commands]:
            try:
                model.record(command, await result)
            except ChatError:
                continue  # a rejected command changes nothing
    for query in queries:
        for room in (rooms[0].key, rooms[1].key):
            assert await _fetch_all_ids(database, query, room, 100) == model.search(query, room)
            assert await _fetch_all_ids(database, query, room, 2) == model.search(query, room)
        model_ids = {number for number, _ in model.messages.values()}
        all_ids = await _fetch_all_ids(database, query, None, 3)
        assert [number for number in all_ids if number in model_ids] == model.search(query, None)


async def _fetch_all_ids(database: Database, query: str, room: str | None, limit: int) -> list[int]:
    ids: list[int] = []
    before: int | None = None
    while True:
        page = await database.reader.search(query, room_key=room, joined={room or ""}, before=before, limit=limit)
        assert len(page.messages) <= limit
        ids += [message.id for message in page.messages]
        if page.next_before is None:
            return ids
        assert before is None or page.next_before < before
        before = page.next_before
