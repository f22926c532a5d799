"""Numbers of account changes, by which servers find the changes of each other.

- Order: the row of the counter stays locked until the commit, so a reader that knows a number knows all smaller ones.
- Lock order: the counter, then accounts, tokens and memberships.
"""

from sqlalchemy import ColumnElement, Connection, update

from server.storage.tables import accounts, counters

ACCOUNT_COUNTER = "account"
"""Name of the counter row."""


def next_change_seq(connection: Connection) -> int:
    """Increment the counter, and return its value for `accounts.change_seq` of the accounts to change."""
    statement = update(counters).where(counters.c.name == ACCOUNT_COUNTER).values(last=counters.c.last + 1)
    return connection.execute(statement.returning(counters.c.last)).scalar_one()


def record_change(connection: Connection, is_changed: ColumnElement[bool]) -> None:
    """Set `accounts.change_seq` to the next number for a change of tokens or blocks.

    Call the function before any other write of the transaction, as required by the lock order.

    Args:
        is_changed: Condition for the row of the account; without a match, the number remains unused.
    """
    connection.execute(update(accounts).where(is_changed).values(change_seq=next_change_seq(connection)))
