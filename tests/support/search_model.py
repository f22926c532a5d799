"""The search of a database against a model that reads everything, for any database."""

from dataclasses import dataclass, field
from uuid import uuid4

from hypothesis import strategies as st
from msgspec.structs import replace

from server.domain.drafts import AppendDeletion, AppendEdit, AppendMessage, LogCommand, RoomRef
from server.protocol.errors import ChatError
from server.storage.batch import AppendResult
from server.storage.database import Database
from tests.support.naive_search import finds
from tests.support.storage import delete, edit, react, say

PIECES = ["a", "abc", "abcd", "ABCDEF", "xyz", "é", "中", "国", "中国人", "ガ", "🎉", "-", "_", ".", " ", " "]
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join).filter(str.strip)
queries = st.lists(st.sampled_from([*PIECES, '"', "*", "AND", "("]), min_size=1, max_size=4).map("".join)
targets = st.integers(1, 8)
changes = [st.builds(edit, targets, texts), st.builds(delete, targets), st.builds(react, targets)]
drafts = st.one_of(st.builds(say, texts), st.builds(say, texts), *changes)
steps = st.lists(st.lists(drafts, min_size=1, max_size=6), min_size=1, max_size=4)


@dataclass
class Model:
    """What is said in two rooms now, by room and `seq`."""

    last: dict[str, int] = field(default_factory=dict[str, int])
    said: dict[tuple[str, int], tuple[int, str]] = field(default_factory=dict[tuple[str, int], tuple[int, str]])

    def note(self, draft: LogCommand, outcome: AppendResult) -> None:
        """What became of an accepted draft."""
        key = draft.room.key
        match draft:
            case AppendMessage():
                self.said[key, outcome.entry.seq] = outcome.entry.id, draft.message
            case AppendEdit():
                self.said[key, draft.target] = self.said[key, draft.target][0], draft.message
            case AppendDeletion():
                self.said.pop((key, draft.target), None)
            case _:
                pass

    def found(self, query: str, room: str | None) -> list[int]:
        """The ids of the messages that the query finds, newest first."""
        ids = [number for (key, _), (number, text) in self.said.items() if room in {None, key} and finds(query, text)]
        return sorted(ids, reverse=True)


async def check(database: Database, batches: list[list[LogCommand]], wanted: list[str]) -> None:
    """Write in two fresh rooms, then look for everything, whole and in pages of two."""
    rooms = [RoomRef(key=name, name=name) for name in (uuid4().hex, uuid4().hex)]
    model = Model()
    for number, batch in enumerate(batches):
        placed = [replace(draft, room=rooms[(number + place) % 2]) for place, draft in enumerate(batch)]
        for draft, pending in [(draft, database.journal.append(draft)) for draft in placed]:
            try:
                model.note(draft, await pending)
            except ChatError:
                continue  # refused: nothing was changed
    for query in wanted:
        for room in (rooms[0].key, rooms[1].key):
            assert await _all(database, query, room, 100) == model.found(query, room)
            assert await _all(database, query, room, 2) == model.found(query, room)
        ours = {number for number, _ in model.said.values()}
        everywhere = await _all(database, query, None, 3)
        assert [number for number in everywhere if number in ours] == model.found(query, None)


async def _all(database: Database, query: str, room: str | None, limit: int) -> list[int]:
    found: list[int] = []
    before: int | None = None
    while True:
        page = await database.reader.search(query, room_key=room, joined={room or ""}, before=before, limit=limit)
        assert len(page.messages) <= limit
        found += [message.id for message in page.messages]
        if not page.has_more:
            return found
        assert before is None or (page.next or 0) < before
        before = page.next
