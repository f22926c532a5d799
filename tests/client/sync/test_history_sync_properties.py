"""Put aside, trimmed, brought back, by one program or two: the log still ends as a fresh fetch would read."""

import sqlite3

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.client.sync.test_room_log_properties import AnyInterleaving
from tui_chat.client.storage import history_tables as tables
from tui_chat.client.sync.room_log import RoomLog

TEA = 1


class KeptOnDisk(AnyInterleaving):
    """The same server and connection, and a disk that outlives the program."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = sqlite3.connect(":memory:", isolation_level=None)
        self.disk.executescript(tables.SCHEMA.statements)
        self.other: RoomLog | None = None
        self.log.track_changes()
        self.behind = False

    @rule()
    def what_was_learnt_is_written(self) -> None:
        tables.write_segment(self.disk, TEA, self.log.pop_dirty())

    @rule()
    def what_was_learnt_is_lost(self) -> None:
        """The disk was full; what is on it is read no more until the next start."""
        self.log.pop_dirty()
        self.behind = True

    @rule(written=st.booleans(), limit=st.integers(1, 6))
    def the_program_is_started_anew(self, written: bool, limit: int) -> None:
        self.the_connection_breaks_anyway()
        if written:
            self.what_was_learnt_is_written()
        self.log = RoomLog()
        self.log.track_changes()
        self.log.restore(tables.read_segment(self.disk, TEA, 0, 2**62, limit))
        self.came_before = self.log.last > 0
        self.behind = False

    @precondition(lambda self: not self.behind)
    @rule(limit=st.integers(1, 4), over_gaps=st.booleans())
    def what_is_older_comes_from_the_disk(self, limit: int, over_gaps: bool) -> None:
        self.what_was_learnt_is_written()
        found = tables.read_segment_before(self.disk, TEA, self.log.first, limit, allow_gap=over_gaps)
        if found is not None:
            self.log.restore(found)

    @precondition(lambda self: len(self.log) > 1)
    @rule(kept=st.integers(1, 4))
    def what_is_old_is_let_go(self, kept: int) -> None:
        self.log.trim(kept)

    @rule(bound=st.integers(3, 8))
    def the_disk_is_kept_in_bounds(self, bound: int) -> None:
        tables.prune(self.disk, TEA, bound)

    @precondition(lambda self: self.joined)
    @rule(swapped=st.booleans())
    def another_program_reads_and_writes_too(self, swapped: bool) -> None:
        """It was there all the time, holds what it held, and writes it later."""
        if self.other is None:
            self.other = RoomLog()
            self.other.track_changes()
            self.other.apply_join(self.room.join(None, 3), None)
        elif swapped:
            tables.write_segment(self.disk, TEA, self.other.pop_dirty())
            self.other = None

    def teardown(self) -> None:
        """Whole from the disk as far as that goes, and once more after another start."""
        if not self.behind:
            self.what_was_learnt_is_written()
            while (found := tables.read_segment_before(self.disk, TEA, self.log.first, 4, allow_gap=True)) is not None:
                before = self.log.first
                self.log.restore(found)
                if self.log.first == before:
                    break
        super().teardown()
        self.the_program_is_started_anew(written=not self.behind, limit=1_000)
        super().teardown()

    def the_connection_breaks_anyway(self) -> None:
        self.connected = self.joined = False
        self.pushes.clear()
        self.answers.clear()
        self.log.on_disconnected()


KeptOnDisk.TestCase.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
test_what_was_kept_and_what_comes_end_as_a_fresh_fetch = KeptOnDisk.TestCase
