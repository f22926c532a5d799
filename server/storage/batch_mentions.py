"""Mentions and read markers that the messages of one batch change.

- Mentions: one row per mentioned durable member, or one row for a mention of all members. A mention of the author has
  no row.
- Read markers: the newest message of an account moves its read marker.
"""

from sqlalchemy import Connection

from server.domain.log_commands import MentionTargets
from server.storage.batch_rooms import BatchRoom
from server.storage.statements import BatchStatements
from server.storage.tables import ALL_MEMBERS


class BatchMentions:
    """Pending rows of one batch."""

    def __init__(self, statements: BatchStatements) -> None:
        self._statements = statements
        self._removed: list[tuple[int, int]] = []  # room id and `seq` of messages that lose their mentions
        self._rows: dict[tuple[str, int, int], tuple[str, int]] = {}
        self._markers: dict[tuple[int, str], tuple[int, int]] = {}

    def add(self, room: BatchRoom, seq: int, mentions: MentionTargets) -> None:
        """Queue the mentions of a message in `room.targets`.

        Of the candidates of each mention, only the first durable member is mentioned, if one exists. A mention of all
        members replaces those of members. Mentions of the author are dropped.
        """
        message = room.targets[seq]
        member_ids = (
            [ALL_MEMBERS]
            if mentions.all_members
            else [
                next((member_id for member_id in candidates if member_id in room.member_ids), None)
                for candidates in mentions.candidates
            ]
        )
        for member_id in member_ids:
            if member_id not in (None, message.member_id):
                self._rows[member_id, room.id, seq] = message.member_id, message.id

    def move_marker(self, room: BatchRoom, member_id: str) -> None:
        """Queue the read marker of an author at the newest entry of a room, a message of this author.

        The marker of a durable member moves only forward; without a membership, there is none.
        """
        self._markers[room.id, member_id] = room.last_seq, room.last_n

    def remove(self, room: BatchRoom, seq: int) -> None:
        """Queue the removal of the stored mentions of a message, and drop its queued ones."""
        self._removed.append((room.id, seq))
        for row_key in [row_key for row_key in self._rows if row_key[1:] == (room.id, seq)]:
            del self._rows[row_key]

    def flush(self, connection: Connection) -> None:
        """Write all pending rows, removals before mentions; no statement runs without rows."""
        if self._removed:
            self._statements.delete_mentions.execute_many(connection, self._removed)
        if self._rows:
            rows = [(*row_key, *values) for row_key, values in self._rows.items()]
            self._statements.insert_mention.execute_many(connection, rows)
        if self._markers:
            self._statements.move_marker.execute_many(
                connection,
                [(seq, n, *membership, seq) for membership, (seq, n) in self._markers.items()],
            )
