"""Read marker, unread counts and unread divider of one room.

- Viewed: a room is viewed while selected, focused and scrolled to the bottom, as reported by the front end.
- Unread: messages of other members that arrive in a room that is not viewed are unread.
- Account: the counts of the server include messages that are not loaded. Loading them does not change the counts.
- Unread divider: precedes the first unread message, and remains while the room is viewed.
"""

from collections.abc import Sequence

from tui_chat.client.events import ReadMarker
from tui_chat.session.lines import MessageLine
from tui_chat.session.transcript import Transcript


class ReadTracker:
    """Read state of one room, and unread divider of its transcript.

    Attributes:
        seq: Read marker: newest viewed `seq`.
        mention_count: Number of unread messages that mention the user.
        is_viewed: True from `start_viewing` to `stop_viewing` or `mark_unread`.
        is_marked_unread: True after a mark as unread; the session does not view the room until the user opens it again.
        has_unsent_mark: The marker of the room is to replace the marker of the account. Set by a mark as unread and by
            the registration of a guest; cleared by the response of the server, `advance` and `reset`.
    """

    def __init__(self, transcript: Transcript) -> None:
        self.seq = 0
        self.unread_count = self.mention_count = 0
        self.is_viewed = self.is_marked_unread = self.has_unsent_mark = False
        self._transcript = transcript
        self._counted_seq = 0  # newest entry that the counts of the server include

    def reset(self) -> None:
        """Set marker and counts to 0, and end a mark as unread."""
        self.seq = self.unread_count = self.mention_count = self._counted_seq = 0
        self.is_marked_unread = self.has_unsent_mark = False

    def is_unread(self, line: MessageLine) -> bool:
        """Return whether a message of another member is after the marker and not in the counts of the server."""
        return (line.seq or 0) > max(self.seq, self._counted_seq) and not line.is_own

    def set_marker(self, seq: int, lines: Sequence[MessageLine], counts: ReadMarker | None = None) -> None:
        """Set the marker, count the unread messages after the marker, and set the divider after the marker.

        The counts of the server include entries up to `counts.last_seq`; later loaded messages are added. Without
        `counts`, only loaded messages count. Without unread messages, the divider is removed. `is_viewed` and the marks
        as unread remain.
        """
        self.seq, self._counted_seq = seq, counts.last_seq if counts is not None else 0
        unread_lines = [line for line in lines if self.is_unread(line)]
        self.unread_count, self.mention_count = (counts.unread, counts.mentions) if counts is not None else (0, 0)
        self._add_counts(unread_lines)
        self._transcript.set_unread_line(seq if self.unread_count else None)

    def add_unread(self, lines: Sequence[MessageLine], *, is_live: bool) -> None:
        """Count new unread messages (`is_unread`), and set the divider after the marker if no earlier one is unread.

        In a viewed room, nothing is counted, and only fetched messages set the divider, because they arrive together.
        """
        if lines and not self.unread_count and not (self.is_viewed and is_live):
            self._transcript.set_unread_line(self.seq)
        if not self.is_viewed:
            self._add_counts(lines)

    def _add_counts(self, lines: Sequence[MessageLine]) -> None:
        self.unread_count += len(lines)
        self.mention_count += sum(line.is_mention for line in lines)

    def advance(self) -> None:
        """Move the marker of a viewed room to the newest entry and clear `has_unsent_mark`; no effect if not viewed."""
        if self.is_viewed:
            self.seq, self.has_unsent_mark = self._transcript.newest_seq, False

    @property
    def saved_marker(self) -> tuple[int, bool]:
        """Values to save: `seq` and `has_unsent_mark`."""
        return self.seq, self.has_unsent_mark

    def mark_unread(self) -> None:
        """Mark the room as not viewed and set `is_marked_unread`. Marker, counts and divider remain."""
        self.is_viewed, self.is_marked_unread = False, True

    def start_viewing(self) -> None:
        """Mark the room as viewed and all its messages as read. The unread divider remains until `stop_viewing`."""
        self.is_viewed = True
        self.unread_count = self.mention_count = 0
        self.advance()

    def stop_viewing(self) -> None:
        """Mark the room as not viewed and remove the unread divider. No effect if not viewed."""
        if self.is_viewed:
            self.is_viewed = False
            self._transcript.set_unread_line(None)
