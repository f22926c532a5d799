"""Convergence of a room log that one or two clients store, trim and restore."""

import sqlite3

from hypothesis import settings, strategies as st
from hypothesis.stateful import precondition, rule

from tests.client.sync.test_room_log_properties import InterleavingMachine
from tui_chat.client.storage import history_tables as tables
from tui_chat.client.sync.room_log import RoomLog

TEA = 1


class CachedLogMachine(InterleavingMachine):
    """Interleaving machine with a history database that survives client restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = sqlite3.connect(":memory:", isolation_level=None)
        self.disk.executescript(tables.SCHEMA.statements)
        self.other_log: RoomLog | None = None
        self.log.track_changes()
        self.is_stale = False

    @rule()
    def write_dirty(self) -> None:
        tables.write_segment(self.disk, TEA, self.log.pop_dirty())

    @rule()
    def lose_dirty(self) -> None:
        """Discard dirty entries as on a full disk; the database is stale until the next restart."""
        self.log.pop_dirty()
        self.is_stale = True

    @rule(written=st.booleans(), limit=st.integers(1, 6))
    def restart_client(self, written: bool, limit: int) -> None:
        self.drop_connection()
        if written:
            self.write_dirty()
        self.log = RoomLog()
        self.log.member_id = "a"
        self.log.track_changes()
        self.log.restore(tables.read_segment(self.disk, TEA, 0, 2**62, limit))
        self.has_joined_before = self.log.last > 0
        self.is_stale = False

    @precondition(lambda self: not self.is_stale)
    @rule(limit=st.integers(1, 4), allow_gap=st.booleans())
    def load_older_from_disk(self, limit: int, allow_gap: bool) -> None:
        self.write_dirty()
        segment = tables.read_segment_before(self.disk, TEA, self.log.first, limit, allow_gap=allow_gap)
        if segment is not None:
            self.log.restore(segment)

    @precondition(lambda self: len(self.log) > 1)
    @rule(limit=st.integers(1, 4))
    def trim_log(self, limit: int) -> None:
        self.log.trim(limit)

    @rule(bound=st.integers(3, 8))
    def prune_disk(self, bound: int) -> None:
        tables.prune(self.disk, TEA, bound)

    @precondition(lambda self: self.joined)
    @rule(write_now=st.booleans())
    def run_second_client(self, write_now: bool) -> None:
        """Join with a second client, and write its entries on a later call."""
        if self.other_log is None:
            self.other_log = RoomLog()
            self.other_log.member_id = "a"
            self.other_log.track_changes()
            self.other_log.apply_join(self.room.join(None, 3), None)
        elif write_now:
            tables.write_segment(self.disk, TEA, self.other_log.pop_dirty())
            self.other_log = None

    def teardown(self) -> None:
        """Check convergence with the older entries from the disk, then again after a restart."""
        if not self.is_stale:
            self.write_dirty()
            while (
                segment := tables.read_segment_before(self.disk, TEA, self.log.first, 4, allow_gap=True)
            ) is not None:
                before = self.log.first
                self.log.restore(segment)
                if self.log.first == before:
                    break
        super().teardown()
        self.restart_client(written=not self.is_stale, limit=1_000)
        super().teardown()

    def drop_connection(self) -> None:
        self.connected = self.joined = False
        self.pushes.clear()
        self.responses.clear()
        self.log.on_disconnected()


CachedLogMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
test_cached_and_received_entries_converge_to_the_server_log_under_any_interleaving = CachedLogMachine.TestCase
