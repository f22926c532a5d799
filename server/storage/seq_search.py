"""Binary search in a room log; `id` and `ts` never decrease with increasing `seq`."""

from bisect import bisect_left

from sqlalchemy import ColumnElement, Connection, bindparam, select

from server.storage.tables import entries


def find_first_seq(
    connection: Connection, room_id: int, last_seq: int, column: ColumnElement[int], minimum: int
) -> int:
    """Return the first `seq` with a column value of at least `minimum`, or `last_seq + 1` if none exists.

    The result is 1 for an empty log.

    Args:
        connection: Connection with an open transaction.
        room_id: Identifier of the room.
        last_seq: Newest `seq` of the room.
        column: `entries.c.id` or `entries.c.ts`.
        minimum: Lower bound of the column value.
    """
    select_value = select(column).where(entries.c.room_id == room_id, entries.c.seq == bindparam("seq"))

    def read_value(seq: int) -> int:
        return connection.execute(select_value, {"seq": seq}).scalar_one()

    return 1 + bisect_left(range(1, last_seq + 1), minimum, key=read_value)
