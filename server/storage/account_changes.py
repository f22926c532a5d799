"""Numbers of account changes, by which servers find the changes of each other.

- Order: the row of the counter stays locked until the commit, so a reader that knows a number knows all smaller ones.
- Lock order: the counter, then accounts, tokens and memberships.
"""

from sqlalchemy import ColumnElement, Connection, update

from server.storage.tables import accounts, counters

ACCOUNT_COUNTER = "account"
"""Name of the counter row."""


def next_change_seq(connection: Connection) -> int:
    """Return the value of `accounts.change_seq` for the changes of a transaction."""
    statement = update(counters).where(counters.c.name == ACCOUNT_COUNTER).values(last=counters.c.last + 1)
    return connection.execute(statement.returning(counters.c.last)).scalar_one()


def record_change(connection: Connection, is_changed: ColumnElement[bool]) -> None:
    """Number a change of the tokens or blocks of an account; the first statement of its transaction.

    Args:
        connection: Connection with an open write transaction.
        is_changed: Condition for the row of the account.
    """
    connection.execute(update(accounts).where(is_changed).values(change_seq=next_change_seq(connection)))
