"""The index of what was said, empty: what is there already is indexed while the server runs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index, and note up to where messages have yet to be put into it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE search USING fts5(numbers, content='', columnsize=0, detail='none', tokenize='ascii')"
        )
    else:
        op.execute("CREATE TABLE search (id BIGINT PRIMARY KEY, numbers INTEGER[] NOT NULL)")
        op.execute("CREATE INDEX search_by_number ON search USING gin (numbers)")
    op.execute(sa.text("INSERT INTO counters (name, last) SELECT 'unindexed', coalesce(max(id), 0) FROM entries"))
