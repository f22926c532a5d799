"""Create the search index, initially empty; the running server indexes existing messages."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the index, and store the greatest id that the backfill must index in the counter `unindexed`."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE search USING fts5(numbers, content='', columnsize=0, detail='none', tokenize='ascii')"
        )
    else:
        op.execute("CREATE TABLE search (id BIGINT PRIMARY KEY, numbers INTEGER[] NOT NULL)")
        op.execute("CREATE INDEX search_by_number ON search USING gin (numbers)")
    op.execute(sa.text("INSERT INTO counters (name, last) SELECT 'unindexed', coalesce(max(id), 0) FROM entries"))
