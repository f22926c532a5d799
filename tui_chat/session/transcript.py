"""The lines of one room in their order, and how that order changes.

Rule 1  Lines stand in the order of their places, and a place never changes while
        its line lives: a message by its `seq`; a notice behind the newest entry
        there was when it came; a gap behind the entry before it; the unread line
        behind the last entry read; what is not sent yet below everything.
Rule 2  A message stands once. What was pending takes the place of its `seq` when
        that is known, in the same change.
Rule 3  Every change is a splice; the splices taken so far, applied in order to
        the list as it was, give `lines`. Where nobody takes them they are given up
        at `UNTAKEN_MOST` lines, and `anew` says that `lines` is to be read instead.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from tui_chat.session.comings import Coming, Comings
from tui_chat.session.lines import Delivery, GapLine, Line, MessageLine, NoticeLine, Splice, UnreadLine
from tui_chat.session.long_list import LongList
from tui_chat.session.splices import joined

# A place is one number, so that a hundred thousand of them are 800 kB: the `seq`
# (36 bits), then what stands there, then a count (24 bits) for what has no `seq`.
_Place = int
_MESSAGE, _NOTICE, _GAP, _UNREAD = 0, 1, 2, 3
_BELOW = 2**36
_COUNT = 2**24 - 1


UNTAKEN_MOST = 20_000
"""Lines in splices that wait to be taken."""


def _at(seq: int, kind: int = _MESSAGE, count: int = 0) -> _Place:
    # No room has a `seq` beyond that; a server that says so gets a wrong order and nothing worse.
    return min(max(seq, 0), _BELOW) << 26 | kind << 24 | count & _COUNT


class Transcript:
    """What one room's timeline shows.

    Attributes:
        anew: Too much has changed since `take_splices` was last asked for splices to tell it.
    """

    def __init__(self) -> None:
        self._places: array[_Place] = array("q")
        self._lines = LongList()
        self._splices: list[Splice] = []
        self._untaken = 0
        self.anew = False
        self._unsent: dict[str, _Place] = {}
        self._count = 0
        self._newest = 0
        self._gaps: set[tuple[int, int]] = set()
        self._unread: int | None = None
        self._comings: tuple[_Place, Comings] | None = None

    @property
    def lines(self) -> LongList:
        """All lines, oldest first."""
        return self._lines

    def take_splices(self) -> list[Splice]:
        """What has changed since this was last asked; nothing when all is `anew`."""
        splices, self._splices = self._splices, []
        self._untaken, self.anew = 0, False
        return joined(splices)

    def message(self, seq: int) -> MessageLine | None:
        """The message with this `seq`, if it is here."""
        index = self._find(_at(seq))
        line = None if index is None else self._lines[index]
        return line if isinstance(line, MessageLine) else None

    def put(self, messages: Iterable[MessageLine]) -> None:
        """Messages of the log, new or changed; their `seq` is set, and rises."""
        run: list[MessageLine] = []
        at = -1
        for line in messages:
            place = _at(line.seq or 0)
            index = bisect_left(self._places, place)
            if index < len(self._places) and self._places[index] == place:
                self._insert(at, run)
                run = []
                index = bisect_left(self._places, place)
                if self._lines[index] != line:
                    self._splice(index, 1, [place], [line])
                continue
            if run and index != at:
                self._insert(at, run)
                run = []
                index = bisect_left(self._places, place)
            at = index
            run.append(line)
        self._insert(at, run)

    def reached(self, seq: int) -> None:
        """The room's newest entry is this; what happens next stands behind it."""
        self._newest = max(self._newest, seq)

    def set_gaps(self, gaps: Iterable[tuple[int, int]]) -> None:
        """The gaps that there are now, each as the `seq` before and the `seq` after it."""
        wanted = set(gaps)
        for after, _ in self._gaps - wanted:
            self._drop(_at(after, _GAP))
        for after, before in sorted(wanted - self._gaps):
            self._place(_at(after, _GAP), GapLine(f"gap-{after}-{before}", after, before))
        self._gaps = wanted

    def pend(self, client_id: str, line: MessageLine) -> None:
        """Something that is on its way stands at the bottom."""
        self._count += 1
        place = _at(_BELOW, 0, self._count)
        self._unsent[client_id] = place
        self._place(place, line)

    def settle(self, client_id: str, line: MessageLine) -> None:
        """It was sent: `line`, with its `seq`, takes its place in the log (unless the log has it already)."""
        place = self._unsent.pop(client_id, None)
        if place is not None:
            self._drop(place)
        if line.seq is not None and self.message(line.seq) is None:
            self.put([line])

    def unsent(self, client_id: str) -> MessageLine | None:
        """The line of a send that is pending or failed."""
        index = self._find(self._unsent[client_id]) if client_id in self._unsent else None
        line = None if index is None else self._lines[index]
        return line if isinstance(line, MessageLine) else None

    @property
    def pending(self) -> int:
        """How many sends are on their way."""
        lines = (self.unsent(client_id) for client_id in self._unsent)
        return sum(line is not None and line.delivery is Delivery.PENDING for line in lines)

    def pending_with(self, text: str) -> str | None:
        """The `clientId` of the oldest send on its way that says this."""
        for client_id in self._unsent:
            line = self.unsent(client_id)
            if line is not None and line.text == text and line.delivery is Delivery.PENDING:
                return client_id
        return None

    def mark(self, client_id: str, delivery: Delivery, problem: str = "") -> None:
        """A send failed, or is tried once more."""
        line = self.unsent(client_id)
        if line is not None:
            self._place(self._unsent[client_id], replace(line, delivery=delivery, problem=problem))

    def discard(self, client_id: str) -> None:
        """Take a failed send away."""
        place = self._unsent.pop(client_id, None)
        if place is not None:
            self._drop(place)

    def notice(self, ts: int, text: str) -> None:
        """A word of the program's own, below the newest entry."""
        self._count += 1
        self._place(_at(self._newest, _NOTICE, self._count), NoticeLine(f"notice-{self._count}", ts, text))

    def came_or_went(self, ts: int, coming: Coming) -> None:
        """Somebody came, left or was renamed: told in one line with those right before it."""
        if self._comings is None or self._last_above_unsent() != self._comings[0]:
            self._count += 1
            self._comings = (_at(self._newest, _NOTICE, self._count), Comings())
        place, comings = self._comings
        comings.add(coming)
        self._place(place, NoticeLine(f"notice-{place & _COUNT}", ts, comings.told()))

    def set_unread(self, after: int | None) -> None:
        """The unread line stands behind the entry `after`, or nowhere."""
        if after == self._unread:
            return
        if self._unread is not None:
            self._drop(_at(self._unread, _UNREAD))
        self._unread = after
        if after is not None:
            self._place(_at(after, _UNREAD), UnreadLine())

    def restart(self) -> None:
        """Take everything away but what is not sent yet: another log begins."""
        kept = bisect_left(self._places, _at(_BELOW))
        self._splice(0, kept, [], [])
        self._newest = 0
        self._gaps.clear()
        self._unread = None
        self._comings = None

    def take_away(self, seqs: Iterable[int]) -> None:
        """Take these messages of the log away."""
        for seq in seqs:
            self._drop(_at(seq))

    def trim(self, first: int) -> None:
        """Take away what stands before the entry `first`."""
        gone = bisect_left(self._places, _at(first))
        if gone:
            self._splice(0, gone, [], [])
        self._gaps = {gap for gap in self._gaps if gap[0] >= first}
        if self._unread is not None and self._unread < first:
            self._unread = None
        if self._comings is not None and self._comings[0] < _at(first):
            self._comings = None

    def clear_notices(self) -> None:
        """Take every notice away."""
        for place in [place for place in self._places if place >> 24 & 3 == _NOTICE]:
            self._drop(place)
        self._comings = None

    def _last_above_unsent(self) -> _Place | None:
        index = bisect_left(self._places, _at(_BELOW))
        return self._places[index - 1] if index else None

    def _find(self, place: _Place) -> int | None:
        index = bisect_left(self._places, place)
        return index if index < len(self._places) and self._places[index] == place else None

    def _place(self, place: _Place, line: Line) -> None:
        index = self._find(place)
        if index is not None:
            self._splice(index, 1, [place], [line])
        else:
            self._splice(bisect_right(self._places, place), 0, [place], [line])

    def _drop(self, place: _Place) -> None:
        index = self._find(place)
        if index is not None:
            self._splice(index, 1, [], [])

    def _insert(self, at: int, lines: list[MessageLine]) -> None:
        if lines:
            self._splice(at, 0, [_at(line.seq or 0) for line in lines], list(lines))
            self.reached(lines[-1].seq or 0)

    def _splice(self, index: int, removed: int, places: list[_Place], lines: Sequence[Line]) -> None:
        self._places[index : index + removed] = array("q", places)
        self._lines.splice(index, removed, lines)
        self._untaken += 1 + len(lines)
        self.anew = self.anew or self._untaken > UNTAKEN_MOST
        if self.anew:
            self._splices.clear()
        else:
            self._splices.append(Splice(index, removed, tuple(lines)))
