"""A chat-server that dies at a moment of our choice, as if its power was cut then.

Run like the command, with its flags. A message with one of the texts below makes
it end, the first time that it is said: a repeat finds it on disk already.
"""

import asyncio
import os
from collections.abc import Sequence
from unittest.mock import patch

from server import cli
from server.domain.drafts import LogCommand
from server.protocol.entries import Entry, Message
from server.storage import database
from server.storage.batch import AppendOutcome, AppendResult
from server.storage.journal import Journal, Publisher

UNWRITTEN = "die before it is written"
UNANSWERED = "die between commit and answer"
UNTOLD = "die between answer and fan-out"

DIED = 9
"""The exit code of such an end."""


class CrashingJournal(Journal):
    """A journal that does not always come to the end of what it does."""

    async def _commit(self, commands: list[LogCommand]) -> list[AppendOutcome] | None:
        if any(getattr(draft, "message", "") == UNWRITTEN for draft in commands):
            os._exit(DIED)
        outcomes = await super()._commit(commands)
        new = [
            outcome.entry for outcome in outcomes or () if isinstance(outcome, AppendResult) and not outcome.duplicate
        ]
        if _says(new, UNANSWERED):
            os._exit(DIED)
        return outcomes

    def set_publisher(self, publish: Publisher) -> None:
        def publish_or_die(entries: Sequence[Entry]) -> None:
            if _says(entries, UNTOLD):
                # The answers are queued already, and leave the process before the next callback runs.
                asyncio.get_running_loop().call_soon(os._exit, DIED)
            else:
                publish(entries)

        super().set_publisher(publish_or_die)


def _says(entries: Sequence[Entry], text: str) -> bool:
    return any(isinstance(entry, Message) and entry.message == text for entry in entries)


if __name__ == "__main__":
    with patch.object(database, "Journal", CrashingJournal):
        cli.main()
