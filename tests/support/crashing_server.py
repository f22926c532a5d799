"""A chat-server that dies at a moment of our choice, as if its power was cut then.

Run like the command, with its flags. A message with one of the texts below makes
it end, the first time that it is said: a repeat finds it on disk already.
"""

import asyncio
import os
from collections.abc import Sequence
from unittest.mock import patch

from server import cli
from server.domain.log_commands import LogCommand
from server.storage import database
from server.storage.batch_writer import AppendOutcome, AppendResult
from server.storage.journal import Journal, Publisher
from tui_chat.protocol.events import Entry, Message

CRASH_BEFORE_COMMIT = "die before it is written"
CRASH_BEFORE_ACK = "die between commit and answer"
CRASH_BEFORE_FANOUT = "die between answer and fan-out"

CRASH_EXIT_CODE = 9
"""The exit code of such an end."""


class CrashingJournal(Journal):
    """A journal that does not always come to the end of what it does."""

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

    def set_publisher(self, publish: Publisher) -> None:
        def publish_or_crash(entries: Sequence[Entry]) -> None:
            if _contains_message(entries, CRASH_BEFORE_FANOUT):
                # The answers are queued already, and leave the process before the next callback runs.
                asyncio.get_running_loop().call_soon(os._exit, CRASH_EXIT_CODE)
            else:
                publish(entries)

        super().set_publisher(publish_or_crash)


def _contains_message(entries: Sequence[Entry], text: str) -> bool:
    return any(isinstance(entry, Message) and entry.message == text for entry in entries)


if __name__ == "__main__":
    with patch.object(database, "Journal", CrashingJournal):
        cli.main()
