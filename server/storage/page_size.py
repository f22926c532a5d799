"""Size limit of the pages of a room log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from server.storage.reaction_reader import Summaries
from tui_chat.protocol import events
from tui_chat.protocol.limits import REACTION_NAMES

MAX_PAGE_BYTES = 256 * 1024
"""Approximate size limit of a page in bytes.

Below the send queue limit of a connection: a slow client would otherwise be aborted on each attempt to load the page.
"""

_ENTRY_OVERHEAD_BYTES = 256  # estimated size of an entry without text, files and reactions, in bytes
_REACTION_OVERHEAD_BYTES = 64  # estimated size of a reaction, and of each of its names without the nickname, in bytes


def trim_page(rows: Sequence[Row[Any]], summaries: Summaries, center: int) -> Sequence[Row[Any]]:
    """Return a page without the entries farthest from `center` above `MAX_PAGE_BYTES`; at least one entry remains.

    Args:
        rows: Rows of `entries` in ascending order.
        summaries: Reactions by `seq`; summaries without names count with the minimum size of their names.
        center: `seq` of the entry that is dropped last.
    """
    sizes = [
        len(row.text.encode())
        + len(row.attachments or b"")
        + _ENTRY_OVERHEAD_BYTES
        + sum(map(_estimate_size, summaries.get(row.seq, {}).values()))
        for row in rows
    ]
    low, high, size = 0, len(rows) - 1, sum(sizes)
    while size > MAX_PAGE_BYTES and low < high:
        if center - rows[low].seq >= rows[high].seq - center:
            size -= sizes[low]
            low += 1
        else:
            size -= sizes[high]
            high -= 1
    return rows[low : high + 1]


def _estimate_size(summary: events.ReactionSummary) -> int:
    names = sum(len(reactor.nick_name.encode()) for reactor in summary.by)
    return _REACTION_OVERHEAD_BYTES * (1 + min(summary.count, REACTION_NAMES)) + names
