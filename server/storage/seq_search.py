"""Where in a room's log something begins, found by halving: `id` and `ts` never go down from one `seq` to the next."""

from sqlalchemy import ColumnElement, Connection, bindparam, select

from server.storage.tables import entries


def find_first_seq(
    connection: Connection, room_id: int, last_seq: int, column: ColumnElement[int], minimum: int
) -> int:
    """The first `seq` of a room at which a column is at least so much; one past the last when it is nowhere.

    Args:
        last_seq: The room's newest.
        column: `entries.c.id` or `entries.c.ts`.
    """
    select_value = select(column).where(entries.c.room_id == room_id, entries.c.seq == bindparam("seq"))
    low, high = 1, last_seq + 1
    while low < high:
        middle = (low + high) // 2
        if connection.execute(select_value, {"seq": middle}).scalar_one() >= minimum:
            high = middle
        else:
            low = middle + 1
    return low
