"""The reactions that stand now, beside the log that led to them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_int64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table and fill it from the log."""
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
        SELECT chosen.room_id, chosen.target, chosen.emoji, chosen.member_id, min(chosen.seq), min(chosen.seq)
        FROM entries AS chosen
        JOIN entries AS said
            ON said.room_id = chosen.room_id AND said.seq = chosen.target AND said.kind = 'message' AND NOT said.deleted
        WHERE chosen.kind = 'reaction' AND chosen.is_on AND NOT EXISTS (
            SELECT 1 FROM entries AS later
            WHERE later.kind = 'reaction' AND NOT later.is_on AND later.seq > chosen.seq
                AND later.room_id = chosen.room_id AND later.target = chosen.target
                AND later.emoji = chosen.emoji AND later.member_id = chosen.member_id
        )
        GROUP BY chosen.room_id, chosen.target, chosen.emoji, chosen.member_id
        """
    )
    op.execute(
        """
        UPDATE reactions SET began = (
            SELECT min(same.began) FROM reactions AS same
            WHERE same.room_id = reactions.room_id AND same.target = reactions.target AND same.emoji = reactions.emoji
        )
        """
    )
