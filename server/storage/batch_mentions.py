"""Mentions and read markers that the messages of one batch change.

- Mentions: one row per mentioned durable member, or one row for a mention of all members. Authors mention nobody by
  their own name.
- Own read marker: the newest message of an account moves its read marker.
"""

from sqlalchemy import Connection

from server.domain.log_commands import AppendEdit, AppendMessage, MentionTargets
from server.storage.batch_rooms import BatchRoom, TargetMessage
from server.storage.statements import BatchStatements
from server.storage.tables import ALL_MEMBERS


class BatchMentions:
    """Pending rows of one batch.

    Args:
        statements: Compiled statements for the dialect of the connection.
    """

    def __init__(self, statements: BatchStatements) -> None:
        self._statements = statements
        self._replaced: list[tuple[int, int]] = []  # room id and `seq` of messages that lose their mentions
        self._rows: dict[tuple[str, int, int], tuple[str, int]] = {}
        self._markers: dict[tuple[int, str], tuple[int, int]] = {}

    def add_message(self, room: BatchRoom, seq: int, command: AppendMessage) -> None:
        """Add the mentions of a new message, and move the read marker of its author."""
        author = command.author
        self._add_rows(room, seq, room.targets[seq], command.mentions)
        if author.account is not None:
            self._markers[room.id, author.member_id] = seq, room.last_n

    def replace(self, room: BatchRoom, command: AppendEdit) -> None:
        """Replace the mentions of an edited message."""
        self.remove(room, command.target)
        self._add_rows(room, command.target, room.targets[command.target], command.mentions)

    def remove(self, room: BatchRoom, seq: int) -> None:
        """Remove the mentions of a message."""
        self._replaced.append((room.id, seq))
        for row_key in [row_key for row_key in self._rows if row_key[1:] == (room.id, seq)]:
            del self._rows[row_key]

    def flush(self, connection: Connection) -> None:
        """Write all pending rows; no statement runs without rows."""
        if self._replaced:
            self._statements.delete_mentions.execute_many(connection, self._replaced)
        if self._rows:
            rows = [(*row_key, *values) for row_key, values in self._rows.items()]
            self._statements.insert_mention.execute_many(connection, rows)
        if self._markers:
            self._statements.move_marker.execute_many(
                connection,
                [(seq, n, *membership, seq) for membership, (seq, n) in self._markers.items()],
            )

    def _add_rows(self, room: BatchRoom, seq: int, message: TargetMessage, mentions: MentionTargets) -> None:
        if not (mentions.candidates or mentions.all_members):
            return  # most messages
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
