"""Ordered timeline lines of one room and their changes.

- Order: each line has a constant sort key. Messages sort by `seq`, notices after the newest entry at their creation,
  gaps after the entry before them, the unread divider after the last read entry, unsent messages at the end.
- Uniqueness: a message has one line, which moves from its unsent position to its `seq` within one call.
- Splices: applied in order to the previous lines, the queued splices produce `lines`. Above `MAX_QUEUED_LINES` the
  queue is dropped and `needs_reload` requires a full reload.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from msgspec.structs import replace

from tui_chat.session.compressed_list import CompressedList
from tui_chat.session.lines import DeliveryState, GapLine, Line, MessageLine, NoticeLine, Splice, UnreadLine
from tui_chat.session.membership_summary import MembershipNotice, MembershipSummary
from tui_chat.session.settings.schema import JoinVisibility


def coalesce(splices: Iterable[Splice]) -> list[Splice]:
    """Merge consecutive splices that are adjacent or overlap, and omit splices without effect.

    Each index refers to the list after the previous splice.
    """
    result: list[Splice] = []
    for splice in splices:
        last = result[-1] if result else None
        if last and last.index - splice.removed <= splice.index <= last.index + len(last.lines):
            result[-1] = _merge(last, splice)
        else:
            result.append(splice)
    return [splice for splice in result if splice.removed or splice.lines]


def _merge(first: Splice, second: Splice) -> Splice:
    """Return the splice with the effect of two adjacent or overlapping ones."""
    end = first.index + len(first.lines)
    second_end = second.index + second.removed
    head = first.lines[: max(0, second.index - first.index)]
    tail = first.lines[max(0, second_end - first.index) :] if second_end < end else ()
    removed = first.removed + max(0, first.index - second.index) + max(0, second_end - end)
    return Splice(min(first.index, second.index), removed, head + second.lines + tail)


# A sort key is one integer, so 100,000 keys take 800 kB: `seq` (36 bits), line kind (2 bits) and a counter (24 bits)
# for lines without a `seq`.
_SortKey = int
_KIND_MESSAGE, _KIND_NOTICE, _KIND_GAP, _KIND_UNREAD = 0, 1, 2, 3
_UNSENT_BASE = 2**36
_COUNTER_MASK = 2**24 - 1


MAX_NOTICES = 1_000
"""Maximum number of notices and membership summaries; the oldest is removed on overflow."""

MAX_QUEUED_LINES = 20_000
"""Capacity of the splice queue in lines."""


def _sort_key(seq: int, kind: int = _KIND_MESSAGE, counter: int = 0) -> _SortKey:
    # Larger values from a faulty server are clamped, because keys have 64 bits.
    return min(max(seq, 0), _UNSENT_BASE) << 26 | kind << 24 | counter & _COUNTER_MASK


class Transcript:
    """Timeline of one room.

    Attributes:
        lines: All lines, oldest first.
        newest_seq: Newest known `seq`, from messages and `advance_to`.
        needs_reload: True if splices were dropped since the last `pop_splices`; reload `lines` completely.
        on_images_deleted: Called with the paths of the images of a deleted message.
    """

    def __init__(self) -> None:
        self._keys: array[_SortKey] = array("q")
        self.lines = CompressedList()
        self._splices: list[Splice] = []
        self._queued_lines = 0
        self.needs_reload = False
        self.on_images_deleted: Callable[[list[str]], object] = lambda paths: None
        self._unsent_keys: dict[str, _SortKey] = {}
        self._counter = 0
        self._notice_keys: deque[_SortKey] = deque()  # oldest first, including removed notices
        self.newest_seq = 0
        self._gaps: set[tuple[int, int]] = set()
        self._unread_after: int | None = None
        self._join_visibility: JoinVisibility = "smart"
        # Consecutive events by visibility, so that a change of the setting applies to all lines. Oldest first.
        self._membership_groups: dict[_SortKey, dict[JoinVisibility, MembershipSummary]] = {}

    def pop_splices(self) -> list[Splice]:
        """Return the coalesced splices since the last call, none if `needs_reload` was set; clear both."""
        splices, self._splices = self._splices, []
        self._queued_lines, self.needs_reload = 0, False
        return coalesce(splices)

    def find_message(self, seq: int) -> MessageLine | None:
        """Return the message with this `seq`, None if not loaded."""
        return self._message_at(_sort_key(seq))

    def put_messages(self, messages: Iterable[MessageLine]) -> None:
        """Insert or replace messages of the log, in ascending order.

        A replaced line keeps its position; an equal line causes no splice. New messages advance the newest `seq`. The
        deletion of a line with images calls `on_images_deleted`.
        """
        new_lines: list[MessageLine] = []
        for line in messages:
            key = _sort_key(line.seq or 0)
            index = self._find(key)
            if index is None:
                new_lines.append(line)
            elif (known_line := self.lines[index]) != line:
                if line.deleted and isinstance(known_line, MessageLine) and known_line.images:
                    self.on_images_deleted([image.path for image in known_line.images])
                self._set_line(key, line)
        groups = groupby(new_lines, lambda line: bisect_left(self._keys, _sort_key(line.seq or 0)))
        # Newest first, so that an insertion does not move the remaining positions.
        for index, group in reversed([(index, list(group)) for index, group in groups]):
            self._splice(index, 0, [_sort_key(line.seq or 0) for line in group], group)
        self.advance_to(max((line.seq or 0 for line in new_lines), default=0))

    def advance_to(self, seq: int) -> None:
        """Advance the newest `seq`, never backwards; later notices sort after that entry."""
        self.newest_seq = max(self.newest_seq, seq)

    def set_gaps(self, gaps: Iterable[tuple[int, int]]) -> None:
        """Replace the gap lines by pairs of the `seq` before and the `seq` after each gap."""
        new_gaps = set(gaps)
        for after, _ in self._gaps - new_gaps:
            self._remove(_sort_key(after, _KIND_GAP))
        for after, before in sorted(new_gaps - self._gaps):
            self._set_line(_sort_key(after, _KIND_GAP), GapLine(f"gap-{after}-{before}", after, before))
        self._gaps = new_gaps

    def add_unsent(self, client_id: str, line: MessageLine) -> None:
        """Append the line of a new unsent message."""
        self._counter += 1
        key = _sort_key(_UNSENT_BASE, 0, self._counter)
        self._unsent_keys[client_id] = key
        self._set_line(key, line)

    def mark_sent(self, client_id: str, line: MessageLine) -> None:
        """Move an unsent message to its log position; only remove the unsent line if the log contains the message.

        Without an unsent line, the log line is added if missing.
        """
        self.discard_unsent(client_id)
        if line.seq is not None and self.find_message(line.seq) is None:
            self.put_messages([line])

    def find_unsent(self, client_id: str) -> MessageLine | None:
        """Return the line of an unsent (pending or failed) message, None if there is none."""
        return self._message_at(self._unsent_keys[client_id]) if client_id in self._unsent_keys else None

    def set_delivery(self, client_id: str, delivery: DeliveryState, problem: str = "", captions: str = "") -> None:
        """Replace delivery state, error text and captions of an unsent message; no effect without a line."""
        line = self.find_unsent(client_id)
        if line is not None:
            changed_line = replace(line, delivery=delivery, problem=problem, captions=captions)
            self._set_line(self._unsent_keys[client_id], changed_line)

    def discard_unsent(self, client_id: str) -> None:
        """Remove an unsent message; no effect without a line."""
        key = self._unsent_keys.pop(client_id, None)
        if key is not None:
            self._remove(key)

    def add_notice(self, ts: int, text: str) -> None:
        """Add a client notice after the newest entry, with a time in milliseconds since the epoch.

        Above `MAX_NOTICES`, the oldest notice is removed.
        """
        key = self._create_notice_key()
        self._set_line(key, NoticeLine(f"notice-{key & _COUNTER_MASK}", ts, text))

    def add_membership_notice(self, notice: MembershipNotice, *, is_relevant: bool = True) -> None:
        """Add a membership event, merged with the events directly before into one summary line.

        A line of another kind in between, other than of an unsent message, starts a new summary. The summary line gets
        the time of the newest visible event. Without a visible event there is no line. An irrelevant event is visible
        only with the visibility `all`.
        """
        unsent_index = bisect_left(self._keys, _sort_key(_UNSENT_BASE))
        last_key = self._keys[unsent_index - 1] if unsent_index else 0
        key = next(reversed(self._membership_groups), None)
        if key is None or last_key > key:
            key = self._create_notice_key()
            self._membership_groups[key] = {"all": MembershipSummary(), "smart": MembershipSummary()}
        self._membership_groups[key]["all"].add(notice)
        if is_relevant:
            self._membership_groups[key]["smart"].add(notice)
        self._update_membership_line(key)

    def set_join_visibility(self, visibility: JoinVisibility) -> None:
        """Set the visible membership events, initially `smart`, and add, change or remove their lines."""
        if visibility != self._join_visibility:
            self._join_visibility = visibility
            for key in self._membership_groups:
                self._update_membership_line(key)

    def _update_membership_line(self, key: _SortKey) -> None:
        summary = self._membership_groups[key].get(self._join_visibility)
        if summary is not None and (text := summary.format()):
            self._set_line(key, NoticeLine(f"notice-{key & _COUNTER_MASK}", summary.ts, text))
        else:
            self._remove(key)

    def set_unread_line(self, after: int | None) -> None:
        """Move the unread divider after the entry `after`; None removes the divider. There is at most one such line."""
        if after == self._unread_after:
            return
        if self._unread_after is not None:
            self._remove(_sort_key(self._unread_after, _KIND_UNREAD))
        self._unread_after = after
        if after is not None:
            self._set_line(_sort_key(after, _KIND_UNREAD), UnreadLine())

    def reset(self) -> None:
        """Remove all lines except unsent messages, and start again at `seq` 0, before another log is loaded."""
        self._splice(0, bisect_left(self._keys, _sort_key(_UNSENT_BASE)), [], [])
        self.newest_seq = 0
        self._gaps.clear()
        self._unread_after = None
        self._membership_groups.clear()

    def remove_messages(self, seqs: Iterable[int]) -> None:
        """Remove log messages by `seq`; unknown ones are ignored."""
        for seq in seqs:
            self._remove(_sort_key(seq))

    def trim(self, first: int) -> None:
        """Remove all lines before the entry `first`, except unsent messages."""
        removed_count = bisect_left(self._keys, _sort_key(first))
        if removed_count:
            self._splice(0, removed_count, [], [])
        self._gaps = {gap for gap in self._gaps if gap[0] >= first}
        if self._unread_after is not None and self._unread_after < first:
            self._unread_after = None
        for key in [key for key in self._membership_groups if key < _sort_key(first)]:
            del self._membership_groups[key]

    def clear_notices(self) -> None:
        """Remove all notices, including the membership summaries."""
        for key in [key for key in self._keys if key >> 24 & 3 == _KIND_NOTICE]:
            self._remove(key)
        self._membership_groups.clear()

    def _create_notice_key(self) -> _SortKey:
        """Return the key of a new notice after the newest entry, and remove the oldest notice above `MAX_NOTICES`."""
        self._counter += 1
        key = _sort_key(self.newest_seq, _KIND_NOTICE, self._counter)
        self._notice_keys.append(key)
        if len(self._notice_keys) > MAX_NOTICES:
            oldest_key = self._notice_keys.popleft()
            self._membership_groups.pop(oldest_key, None)
            self._remove(oldest_key)
        return key

    def _find(self, key: _SortKey) -> int | None:
        index = bisect_left(self._keys, key)
        return index if index < len(self._keys) and self._keys[index] == key else None

    def _message_at(self, key: _SortKey) -> MessageLine | None:
        index = self._find(key)
        line = None if index is None else self.lines[index]
        return line if isinstance(line, MessageLine) else None

    def _set_line(self, key: _SortKey, line: Line) -> None:
        # Keys are unique, so the range of equal keys has one line or none.
        index = bisect_left(self._keys, key)
        self._splice(index, bisect_right(self._keys, key) - index, [key], [line])

    def _remove(self, key: _SortKey) -> None:
        index = self._find(key)
        if index is not None:
            self._splice(index, 1, [], [])

    def _splice(self, index: int, removed: int, keys: list[_SortKey], lines: Sequence[Line]) -> None:
        """Change keys and lines, and queue the splice; above `MAX_QUEUED_LINES`, drop the queue for a reload."""
        self._keys[index : index + removed] = array("q", keys)
        self.lines.splice(index, removed, lines)
        self._queued_lines += 1 + len(lines)
        self.needs_reload = self.needs_reload or self._queued_lines > MAX_QUEUED_LINES
        if self.needs_reload:
            self._splices.clear()
        else:
            self._splices.append(Splice(index, removed, tuple(lines)))
