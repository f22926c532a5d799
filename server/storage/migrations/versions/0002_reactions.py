"""Create the table of current reactions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_int64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table and derive its rows from the log."""
    op.create_table(
        "reactions",
        sa.Column("room_id", _int64, primary_key=True),
        sa.Column("target", _int64, primary_key=True),
        sa.Column("emoji", sa.Text(), primary_key=True),
        sa.Column("member_id", sa.Text(), primary_key=True),
        sa.Column("seq", _int64, nullable=False),
        sa.Column("began", _int64, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        """
        INSERT INTO reactions (room_id, target, emoji, member_id, seq, began)
        SELECT added.room_id, added.target, added.emoji, added.member_id, min(added.seq), min(added.seq)
        FROM entries AS added
        JOIN entries AS msg
            ON msg.room_id = added.room_id AND msg.seq = added.target AND msg.kind = 'message' AND NOT msg.deleted
        WHERE added.kind = 'reaction' AND added.is_on AND NOT EXISTS (
            SELECT 1 FROM entries AS removed
            WHERE removed.kind = 'reaction' AND NOT removed.is_on AND removed.seq > added.seq
                AND removed.room_id = added.room_id AND removed.target = added.target
                AND removed.emoji = added.emoji AND removed.member_id = added.member_id
        )
        GROUP BY added.room_id, added.target, added.emoji, added.member_id
        """
    )
    op.execute(
        """
        UPDATE reactions SET began = (
            SELECT min(sibling.began) FROM reactions AS sibling
            WHERE sibling.room_id = reactions.room_id AND sibling.target = reactions.target
                AND sibling.emoji = reactions.emoji
        )
        """
    )
