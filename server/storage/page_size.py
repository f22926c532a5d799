"""Size limit of the pages of a room log, of search results and of mentions."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row

from server.storage.reaction_reader import Summaries
from tui_chat.protocol import events
from tui_chat.protocol.limits import REACTION_NAMES

MAX_PAGE_BYTES = 256 * 1024
"""Approximate size limit of a page in bytes.

A page and a list of members (`MEMBER_PAGE_BYTES`) together are below the smallest send queue of a connection: a slow
client would otherwise be aborted on each attempt to load the page.
"""

_ENTRY_OVERHEAD_BYTES = 256  # estimated size of an entry without texts, names, files and reactions, in bytes
_REACTION_OVERHEAD_BYTES = 64  # estimated size of a reaction, and of each of its names without the nickname, in bytes

_encode_json = msgspec.json.Encoder().encode


def trim_page(rows: Sequence[Row[Any]], room_name: str, summaries: Summaries, center: int) -> Sequence[Row[Any]]:
    """Return a page without the entries farthest from `center` above `MAX_PAGE_BYTES`; at least one entry remains.

    Args:
        rows: Rows of `entries` in ascending order.
        summaries: Reactions by `seq`; summaries without names count with the minimum size of their names.
        center: `seq` of the entry that is dropped last.
    """
    sizes = [estimate_size(row, room_name, summaries.get(row.seq, {})) for row in rows]
    low, high, size = 0, len(rows) - 1, sum(sizes)
    while size > MAX_PAGE_BYTES and low < high:
        if center - rows[low].seq >= rows[high].seq - center:
            size -= sizes[low]
            low += 1
        else:
            size -= sizes[high]
            high -= 1
    return rows[low : high + 1]


def estimate_size(row: Row[Any], room_name: str, reactions: Mapping[str, events.ReactionSummary]) -> int:
    """Return the approximate size of an entry as JSON, in bytes.

    Args:
        reactions: Reactions by emoji; a summary without names counts with the minimum size of its names.
    """
    texts = len(_encode_json((row.text, row.nick_name, row.account, room_name))) + len(row.attachments or b"")
    return _ENTRY_OVERHEAD_BYTES + texts + sum(map(_estimate_reaction_size, reactions.values()))


def _estimate_reaction_size(summary: events.ReactionSummary) -> int:
    names = sum(len(reactor.nick_name.encode()) for reactor in summary.by)
    return _REACTION_OVERHEAD_BYTES * (1 + min(summary.count, REACTION_NAMES)) + names
