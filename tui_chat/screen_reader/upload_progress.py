"""Announcements of uploads in the outbox: start, progress and end.

- Order: the end is announced when the log contains the message, so that a later `/save` finds the files.
"""

import time
from collections.abc import Callable, Iterable
from uuid import UUID

from tui_chat.client.outbox_item import OutboxItem, OutboxItemState
from tui_chat.session.i18n import tr
from tui_chat.session.size_text import describe_size

PROGRESS_INTERVAL = 5.0
"""Seconds between two announcements of progress."""


class UploadProgress:
    """Announcements of one session, with a monotonic clock in seconds."""

    def __init__(self, announce: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._announce = announce
        self._clock = clock
        self._next_progress: dict[UUID, float] = {}  # time of the next announcement of each pending item
        self._sent: dict[tuple[str, int], str] = {}  # names of the files by room and `seq` of an unlogged message

    def on_item_changed(self, item: OutboxItem, *, is_online: bool, is_logged: bool) -> None:
        """Announce the start and progress of the uploads of a pending item, or the success of a sent and logged one.

        The item has files, and `is_logged` refers to its message; `on_log_changed` announces a message that is logged
        later. A failure is not announced.
        """
        if item.state is OutboxItemState.PENDING:
            self._announce_progress(item, is_online)
            return
        self._next_progress.pop(item.client_id, None)
        if item.state is OutboxItemState.SENT and item.seq is not None:
            self._sent[item.room, item.seq] = ", ".join(file.name for file in item.files)
            self.on_log_changed(item.room, [item.seq] if is_logged else [])

    def on_log_changed(self, room: str, seqs: Iterable[int]) -> None:
        """Announce the sent files of the messages of a room that the log contains now, once per message."""
        for seq in seqs:
            if (room, seq) in self._sent:
                self._announce(tr("Sent {name}.", name=self._sent.pop((room, seq))))

    def _announce_progress(self, item: OutboxItem, is_online: bool) -> None:
        """Announce the files of a new item, then the percentage of the current file, once per `PROGRESS_INTERVAL`.

        While offline, the announcement of a new item states that its files wait for the reconnect.
        """
        now, is_new = self._clock(), item.client_id not in self._next_progress
        file = next((file for file in item.files if file.upload_id is None), item.files[-1])
        if is_new and is_online:
            for new_file in item.files:
                size = describe_size(new_file.size)
                self._announce(tr("Uploading {name} ({size}) …", name=new_file.name, size=size))
        elif is_new:
            self._announce(tr("{name} is sent after the reconnect.", name=", ".join(file.name for file in item.files)))
        elif item.uploaded and now >= self._next_progress[item.client_id]:
            percent = 100 * item.uploaded // file.size
            self._announce(tr("Uploading {name}: {percent} %", name=file.name, percent=percent))
        else:
            return
        self._next_progress[item.client_id] = now + PROGRESS_INTERVAL
