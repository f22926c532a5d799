"""A room as the server keeps it, as a list: what the properties of the room log are held against."""

from typing import Any

from server.protocol.answers import HistoryPage, JoinResponse, RoomState
from server.protocol.entries import Deletion, Edit, Entry, Message, Reaction
from server.protocol.requests import History
from tui_chat.client.present_state import MessageChange, apply_change

ROOM = "tea"


class ModelRoom:
    """Every entry that was made, and what a page of them reads like now."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    @property
    def last(self) -> int:
        return len(self.entries)

    def say(self, text: str = "hi") -> Entry:
        return self._add(Message(message=text, **self._fields()))

    def edit(self, target: int, text: str) -> Entry:
        return self._add(Edit(target=target, message=text, **self._fields()))

    def delete(self, target: int) -> Entry:
        return self._add(Deletion(target=target, **self._fields()))

    def react(self, target: int, emoji: str, member: str, on: bool) -> Entry:
        return self._add(Reaction(target=target, emoji=emoji, on=on, **self._fields(member)))

    def present(self) -> list[Entry]:
        """Every entry, the messages as they read now."""
        now = {entry.seq: entry for entry in self.entries}
        for change in self.entries:
            if isinstance(change, MessageChange):
                target = now[change.target]
                assert isinstance(target, Message)
                now[change.target] = apply_change(target, change)
        return [now[seq] for seq in sorted(now)]

    def messages(self) -> list[Message]:
        return [entry for entry in self.present() if isinstance(entry, Message)]

    def page(self, request: History) -> HistoryPage:
        entries = self.present()
        if request.after is not None:
            found = [entry for entry in entries if entry.seq > request.after]
            chosen = found[: request.limit]
        else:
            assert request.before is not None
            found = [entry for entry in entries if entry.seq < request.before]
            chosen = found[-request.limit :]
        return HistoryPage(messages=chosen, has_more=len(found) > len(chosen), last_seq=self.last)

    def join(self, since: int | None, limit: int) -> JoinResponse:
        found = [entry for entry in self.present() if entry.seq > (since or 0)]
        chosen = found[-limit:]
        return JoinResponse(
            room=RoomState(name=ROOM, topic="", last_seq=self.last, visibility="public"),
            nick_name="ann",
            member_id="a",
            guest_key="k",
            members=[],
            messages=chosen,
            has_more=len(found) > len(chosen),
        )

    def _fields(self, member: str = "a") -> dict[str, Any]:
        seq = self.last + 1
        return {"room": ROOM, "seq": seq, "id": seq, "ts": seq, "member_id": member, "nick_name": "ann"}

    def _add(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        return entry
