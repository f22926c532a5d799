"""Faulty chat-server that exits at a chosen point of message processing, as at a power failure.

Accepts the flags of `chat-server`. A message with one of the texts below stops the process. After a restart, a retry of
a committed message has no new entry and does not stop the process again.
"""

import asyncio
import os
from collections.abc import Sequence
from unittest.mock import patch

from server import cli
from server.domain.log_commands import LogCommand
from server.storage import database
from server.storage.batch_writer import AppendOutcome, AppendResult
from server.storage.journal import Journal, QueuedCommand
from tui_chat.protocol.events import Entry, Message

CRASH_BEFORE_COMMIT = "crash before the commit"
CRASH_BEFORE_ACK = "crash before the acknowledgement"
CRASH_BEFORE_FANOUT = "crash before the fan-out"

DELIVERY_TIME = 0.5
"""Seconds in which a client reads the acknowledgement before the crash."""

CRASH_EXIT_CODE = 9
"""Exit code of an intended crash."""


class CrashingJournal(Journal):
    """Journal with intended crashes around the commit."""

    async def _commit(self, commands: list[LogCommand]) -> list[AppendOutcome] | None:
        if any(getattr(command, "message", "") == CRASH_BEFORE_COMMIT for command in commands):
            os._exit(CRASH_EXIT_CODE)
        outcomes = await super()._commit(commands)
        new_entries = [
            outcome.entry for outcome in outcomes or () if isinstance(outcome, AppendResult) and not outcome.duplicate
        ]
        if _contains_message(new_entries, CRASH_BEFORE_ACK):
            os._exit(CRASH_EXIT_CODE)
        return outcomes

    def _select_unpublished(self, batch: list[QueuedCommand], outcomes: list[AppendOutcome]) -> list[Entry]:
        new_entries = super()._select_unpublished(batch, outcomes)
        if not _contains_message(new_entries, CRASH_BEFORE_FANOUT):
            return new_entries
        # The reset of a connection with unread data discards an acknowledgement that the client has not read yet.
        asyncio.get_running_loop().call_later(DELIVERY_TIME, os._exit, CRASH_EXIT_CODE)
        return []


def _contains_message(entries: Sequence[Entry], text: str) -> bool:
    return any(isinstance(entry, Message) and entry.message == text for entry in entries)


if __name__ == "__main__":
    with patch.object(database, "Journal", CrashingJournal):
        cli.main()
