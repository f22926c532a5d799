"""Convergence of the room log under lost, duplicated, delayed and reordered packets."""

from collections import deque
from collections.abc import Callable

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.model_room import ROOM, ModelRoom
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.protocol.events import Entry, Message
from tui_chat.protocol.requests import History

EMOJI = st.sampled_from(["👍", "🎉"])
MEMBERS = st.sampled_from(["a", "b", "c"])


class InterleavingMachine(RuleBasedStateMachine):
    """State machine of a model server, an unreliable connection and a room log."""

    def __init__(self) -> None:
        super().__init__()
        self.room = ModelRoom()
        self.log = RoomLog()
        self.connected = False
        self.joined = False
        self.has_joined_before = False
        self.pushes: deque[Entry] = deque()
        self.responses: list[Callable[[], object]] = []

    def publish(self, entry: Entry) -> None:
        if self.connected:
            self.pushes.append(entry)

    def draw_message_seq(self, data: st.DataObject) -> int:
        seqs = [message.seq for message in self.room.current_messages() if not message.deleted]
        return data.draw(st.sampled_from(seqs))

    def has_messages(self) -> bool:
        return any(not message.deleted for message in self.room.current_messages())

    @rule(count=st.integers(1, 4))
    def add_messages(self, count: int) -> None:
        for _ in range(count):
            self.publish(self.room.add_message(f"m{self.room.last_seq}"))

    @precondition(has_messages)
    @rule(data=st.data())
    def edit_message(self, data: st.DataObject) -> None:
        self.publish(self.room.add_edit(self.draw_message_seq(data), f"e{self.room.last_seq}"))

    @precondition(has_messages)
    @rule(data=st.data())
    def delete_message(self, data: st.DataObject) -> None:
        self.publish(self.room.add_deletion(self.draw_message_seq(data)))

    @precondition(has_messages)
    @rule(data=st.data(), emoji=EMOJI, member=MEMBERS, on=st.booleans())
    def react_to_message(self, data: st.DataObject, emoji: str, member: str, on: bool) -> None:
        self.publish(self.room.add_reaction(self.draw_message_seq(data), emoji, member, on))

    @precondition(lambda self: not self.connected)
    @rule(limit=st.integers(1, 5))
    def connect(self, limit: int) -> None:
        self.connected = True
        since = self.log.last if self.has_joined_before else None
        response = self.room.join(since, limit)

        def apply() -> None:
            self.log.apply_join(response, since)
            self.joined = self.has_joined_before = True

        self.responses.append(apply)

    @precondition(lambda self: self.connected)
    @rule()
    def disconnect(self) -> None:
        self.connected = self.joined = False
        self.pushes.clear()
        self.responses.clear()
        self.log.on_disconnected()

    @precondition(lambda self: self.pushes)
    @rule(repeat=st.booleans())
    def deliver_push(self, repeat: bool) -> None:
        entry = self.pushes.popleft()
        self.log.apply_push(entry)
        if repeat:
            assert self.log.apply_push(entry) == ()

    @precondition(lambda self: self.pushes)
    @rule()
    def drop_push(self) -> None:
        self.pushes.popleft()

    @precondition(lambda self: self.pushes)
    @rule()
    def reorder_pushes(self) -> None:
        self.pushes.rotate(-1)

    @precondition(lambda self: self.responses)
    @rule(data=st.data())
    def deliver_response(self, data: st.DataObject) -> None:
        self.responses.pop(data.draw(st.integers(0, len(self.responses) - 1)))()

    def request_page(self, request: History) -> None:
        response = self.room.fetch_page(request)
        self.responses.append(lambda: self.log.apply_page(response, request))

    @precondition(lambda self: self.joined and self.log.missing_after() is not None)
    @rule(limit=st.integers(1, 5))
    def request_missing(self, limit: int) -> None:
        self.request_page(History(room=ROOM, after=self.log.missing_after(), limit=limit))

    @precondition(lambda self: self.joined and self.log.gaps())
    @rule(data=st.data(), limit=st.integers(1, 5), newest_first=st.booleans())
    def request_gap(self, data: st.DataObject, limit: int, newest_first: bool) -> None:
        gap = data.draw(st.sampled_from(self.log.gaps()))
        before, after = (gap.before, None) if newest_first else (None, gap.after)
        self.request_page(History(room=ROOM, before=before, after=after, limit=limit))

    @precondition(lambda self: self.joined and self.log.has_older)
    @rule(limit=st.integers(1, 5))
    def request_older(self, limit: int) -> None:
        self.request_page(History(room=ROOM, before=self.log.first, limit=limit))

    @invariant()
    def messages_are_known_and_sorted(self) -> None:
        seqs = [message.seq for message in self.log.messages()]
        assert seqs == sorted(set(seqs))
        assert len(seqs) == len(self.log)
        assert all(isinstance(self.room.entries[seq - 1], Message) for seq in seqs)
        assert self.log.last <= self.room.last_seq

    @invariant()
    def a_complete_log_equals_the_server_log(self) -> None:
        if self.log.last == self.room.last_seq and not self.log.gaps():
            expected = [message for message in self.room.current_messages() if message.seq >= self.log.first]
            assert list(self.log.messages()) == expected

    def fetch(self, request: History) -> None:
        self.log.apply_page(self.room.fetch_page(request), request)

    def teardown(self) -> None:
        """Deliver all pending packets, fetch the rest, and compare the log with the server."""
        if not self.connected:
            self.connect(3)
        while self.responses:
            self.responses.pop(0)()
        while self.pushes:
            self.log.apply_push(self.pushes.popleft())
        # A lost last push is detected only by the push after it.
        self.log.apply_push(self.room.add_message("the last word"))
        while (after := self.log.missing_after()) is not None:
            self.fetch(History(room=ROOM, after=after, limit=3))
        while gaps := self.log.gaps():
            self.fetch(History(room=ROOM, before=gaps[-1].before, limit=3))
        while self.log.has_older:
            self.fetch(History(room=ROOM, before=self.log.first, limit=3))
        assert list(self.log.messages()) == self.room.current_messages()
        assert self.log.last == self.room.last_seq


InterleavingMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_the_room_log_converges_to_the_server_log_under_any_interleaving = InterleavingMachine.TestCase
