"""Loading of further parts of the log of one room, from the local history and the server."""

from tui_chat.client.history_sync import HistorySync
from tui_chat.client.sync.seq_ranges import Gap
from tui_chat.protocol.limits import HISTORY_PAGE


class RoomHistory:
    """Requests for entries of `Room.log`; `LogChanged` events report new and modified messages.

    The methods except `trim` raise `NotJoined` after `Room.leave`, `UnsupportedByServer` on a basic server,
    `Unavailable` without a response within 60 seconds, and otherwise the `ChatError` of the server, if they need a
    request. A request above a rate limit waits and is repeated.
    """

    def __init__(self, sync: HistorySync) -> None:
        self._sync = sync

    async def load_older(self, limit: int = HISTORY_PAGE) -> bool:
        """Load the entries before the start of the log.

        Cached entries need no request. At the start of the log, the call returns False immediately.

        Args:
            limit: Maximum number of entries; limited to 200 for a request.

        Returns:
            True if the server has entries older than the loaded ones.
        """
        return await self._sync.load_older(limit)

    async def fill_gap(self, gap: Gap, limit: int | None = None, *, oldest_first: bool = False) -> None:
        """Fetch the missing entries of a gap. `Room.log.gaps()` lists the remaining gaps.

        The call ends early if a page brings no progress.

        Args:
            gap: Current or earlier element of `Room.log.gaps()`, possibly filled already.
            limit: Maximum number of entries, None for all.
            oldest_first: Start at the lower end of the gap instead of the upper end.
        """
        await self._sync.fill_gap(gap, limit, oldest_first=oldest_first)

    async def load_around(self, seq: int, limit: int = HISTORY_PAGE // 2) -> bool:
        """Load the entries around a message, possibly behind a gap.

        With a connection, the entries are always requested, followed by all missing newest entries. Without a
        connection, the entries come from memory or the cache; if neither has them, the call waits for a connection.

        Args:
            seq: `seq` of the message.
            limit: Maximum number of entries; limited to 200 for a request.

        Returns:
            True if the log then contains a message with this `seq`.
        """
        await self._sync.load_around(seq=seq, limit=limit)
        return seq in self._sync.log

    async def load_at_time(self, ts: int, limit: int = HISTORY_PAGE // 2) -> int | None:
        """Load the entries around a time in milliseconds since the epoch, otherwise as `load_around`.

        Returns:
            `seq` of the first loaded message at or after the time, that of the last message if all are older,
            or None without loaded messages.
        """
        await self._sync.load_around(at=ts, limit=limit)
        return self._sync.log.find_seq_at(ts)

    async def trim(self, max_messages: int) -> bool:
        """Write unsaved changes, then release the oldest messages above the limit from memory.

        Returns:
            True if messages were released; False if too few are loaded or a change remains unsaved.
        """
        return await self._sync.trim(max_messages)
