"""Whatever is lost, repeated, late or out of order: the log ends as a fresh fetch would read."""

from collections import deque
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.model_room import ROOM, ModelRoom
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.protocol.events import Entry, Message
from tui_chat.protocol.requests import History

EMOJI = st.sampled_from(["👍", "🎉"])
MEMBERS = st.sampled_from(["a", "b", "c"])


class AnyInterleaving(RuleBasedStateMachine):
    """A server, a connection that loses and repeats, and the log behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.room = ModelRoom()
        self.log = RoomLog()
        self.connected = False
        self.joined = False
        self.came_before = False
        self.pushes: deque[Entry] = deque()
        self.answers: list[Callable[[], object]] = []

    def made(self, entry: Entry) -> None:
        if self.connected:
            self.pushes.append(entry)

    def a_message(self, data: st.DataObject) -> int:
        seqs = [message.seq for message in self.room.current_messages() if not message.deleted]
        return data.draw(st.sampled_from(seqs))

    def has_messages(self) -> bool:
        return any(not message.deleted for message in self.room.current_messages())

    @rule(count=st.integers(1, 4))
    def somebody_speaks(self, count: int) -> None:
        for _ in range(count):
            self.made(self.room.add_message(f"m{self.room.last_seq}"))

    @precondition(has_messages)
    @rule(data=st.data())
    def somebody_edits(self, data: st.DataObject) -> None:
        self.made(self.room.add_edit(self.a_message(data), f"e{self.room.last_seq}"))

    @precondition(has_messages)
    @rule(data=st.data())
    def somebody_deletes(self, data: st.DataObject) -> None:
        self.made(self.room.add_deletion(self.a_message(data)))

    @precondition(has_messages)
    @rule(data=st.data(), emoji=EMOJI, member=MEMBERS, on=st.booleans())
    def somebody_reacts(self, data: st.DataObject, emoji: str, member: str, on: bool) -> None:
        self.made(self.room.add_reaction(self.a_message(data), emoji, member, on))

    @precondition(lambda self: not self.connected)
    @rule(limit=st.integers(1, 5))
    def the_client_comes_back(self, limit: int) -> None:
        self.connected = True
        since = self.log.last if self.came_before else None
        answer = self.room.join(since, limit)

        def arrives() -> None:
            self.log.apply_join(answer, since)
            self.joined = self.came_before = True

        self.answers.append(arrives)

    @precondition(lambda self: self.connected)
    @rule()
    def the_connection_breaks(self) -> None:
        self.connected = self.joined = False
        self.pushes.clear()
        self.answers.clear()
        self.log.on_disconnected()

    @precondition(lambda self: self.pushes)
    @rule(repeat=st.booleans())
    def a_push_arrives(self, repeat: bool) -> None:
        entry = self.pushes.popleft()
        self.log.apply_push(entry)
        if repeat:
            assert self.log.apply_push(entry) == ()

    @precondition(lambda self: self.pushes)
    @rule()
    def a_push_is_lost(self) -> None:
        self.pushes.popleft()

    @precondition(lambda self: self.pushes)
    @rule()
    def a_push_is_late(self) -> None:
        self.pushes.rotate(-1)

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def an_answer_arrives(self, data: st.DataObject) -> None:
        self.answers.pop(data.draw(st.integers(0, len(self.answers) - 1)))()

    def ask(self, request: History) -> None:
        answer = self.room.fetch_page(request)
        self.answers.append(lambda: self.log.apply_page(answer, request))

    @precondition(lambda self: self.joined and self.log.missing() is not None)
    @rule(limit=st.integers(1, 5))
    def what_is_missing_is_asked_for(self, limit: int) -> None:
        self.ask(History(room=ROOM, after=self.log.missing_after(), limit=limit))

    @precondition(lambda self: self.joined and self.log.gaps())
    @rule(data=st.data(), limit=st.integers(1, 5), newest_first=st.booleans())
    def a_gap_is_asked_for(self, data: st.DataObject, limit: int, newest_first: bool) -> None:
        gap = data.draw(st.sampled_from(self.log.gaps()))
        before, after = (gap.before, None) if newest_first else (None, gap.after)
        self.ask(History(room=ROOM, before=before, after=after, limit=limit))

    @precondition(lambda self: self.joined and self.log.has_older)
    @rule(limit=st.integers(1, 5))
    def older_history_is_asked_for(self, limit: int) -> None:
        self.ask(History(room=ROOM, before=self.log.first, limit=limit))

    @invariant()
    def what_is_held_exists_and_is_in_order(self) -> None:
        seqs = [message.seq for message in self.log.messages()]
        assert seqs == sorted(set(seqs))
        assert len(seqs) == len(self.log)
        assert all(isinstance(self.room.entries[seq - 1], Message) for seq in seqs)
        assert self.log.last <= self.room.last_seq

    @invariant()
    def a_log_without_a_hole_reads_as_the_server_did(self) -> None:
        if self.log.last == self.room.last_seq and not self.log.gaps():
            held = [message for message in self.room.current_messages() if message.seq >= self.log.first]
            assert list(self.log.messages()) == held

    def teardown(self) -> None:
        """Everything asked for is answered: the log is what a fresh fetch gives."""
        if not self.connected:
            self.the_client_comes_back(3)
        while self.answers:
            self.answers.pop(0)()
        while self.pushes:
            self.log.apply_push(self.pushes.popleft())
        # The newest pushes may have been lost; the next one shows it.
        self.log.apply_push(self.room.add_message("the last word"))
        while (after := self.log.missing_after()) is not None:
            self.log.apply_page(self.room.fetch_page(history := History(room=ROOM, after=after, limit=3)), history)
        while gaps := self.log.gaps():
            self.log.apply_page(
                self.room.fetch_page(history := History(room=ROOM, before=gaps[-1].before, limit=3)), history
            )
        while self.log.has_older:
            self.log.apply_page(
                self.room.fetch_page(history := History(room=ROOM, before=self.log.first, limit=3)), history
            )
        assert list(self.log.messages()) == self.room.current_messages()
        assert self.log.last == self.room.last_seq


AnyInterleaving.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_any_interleaving_ends_as_a_fresh_fetch = AnyInterleaving.TestCase
