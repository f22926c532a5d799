"""Reference model of a server room: a list of entries, for property tests of the room log."""

from typing import Any

from tui_chat.client.sync.apply_change import apply_change
from tui_chat.protocol.events import Deletion, Edit, Entry, Message, MessageChange, Reaction
from tui_chat.protocol.requests import History
from tui_chat.protocol.responses import HistoryPage, JoinResponse, RoomState

ROOM = "tea"


class ModelRoom:
    """Room with all its entries.

    Attributes:
        entries: Entries as they were appended.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._current: list[Entry] = []  # the same entries, with the changes applied to the messages

    @property
    def last_seq(self) -> int:
        return len(self.entries)

    def add_message(self, text: str = "hi") -> Entry:
        return self._append(Message(message=text, **self._common_fields()))

    def add_edit(self, target: int, text: str) -> Entry:
        return self._append(Edit(target=target, message=text, **self._common_fields()))

    def add_deletion(self, target: int) -> Entry:
        return self._append(Deletion(target=target, **self._common_fields()))

    def add_reaction(self, target: int, emoji: str, member: str, on: bool) -> Entry:
        return self._append(Reaction(target=target, emoji=emoji, on=on, **self._common_fields(member)))

    def current_messages(self) -> list[Message]:
        return [entry for entry in self._current if isinstance(entry, Message)]

    def fetch_page(self, request: History) -> HistoryPage:
        if request.after is not None:
            matching = [entry for entry in self._current if entry.seq > request.after]
            selected = matching[: request.limit]
        else:
            assert request.before is not None
            matching = [entry for entry in self._current if entry.seq < request.before]
            selected = matching[-request.limit :]
        return HistoryPage(
            messages=selected, has_more=len(matching) > len(selected), log_id="log", first_seq=1, last_seq=self.last_seq
        )

    def join(self, since: int | None, limit: int) -> JoinResponse:
        matching = [entry for entry in self._current if entry.seq > (since or 0)]
        selected = matching[-limit:]
        return JoinResponse(
            room=RoomState(name=ROOM, topic="", log_id="log", first_seq=1, last_seq=self.last_seq, visibility="public"),
            nick_name="ann",
            member_id="a",
            guest_key="k",
            members=[],
            messages=selected,
            has_more=len(matching) > len(selected),
        )

    def _common_fields(self, member: str = "a") -> dict[str, Any]:
        seq = self.last_seq + 1
        return {"room": ROOM, "seq": seq, "id": seq, "ts": seq, "member_id": member, "nick_name": "ann"}

    def _append(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        self._current.append(entry)
        if isinstance(entry, MessageChange):
            target = self._current[entry.target - 1]
            assert isinstance(target, Message)
            self._current[entry.target - 1] = apply_change(target, entry, "a")
        return entry
