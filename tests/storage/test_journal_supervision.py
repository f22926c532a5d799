"""Exceptions inside the writer of the journal."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from server.observability.supervision import Supervisor
from server.storage.database import open_database
from server.storage.journal import Journal
from tests.support.storage import ManualClock, build_message
from tui_chat.protocol.errors import ChatError, Unavailable
from tui_chat.protocol.events import Entry, Message

CALLS = ["_linger", "_write_batch", "_commit", "_run_with_retries", "_select_unpublished", "publish"]


@pytest.mark.parametrize("call", CALLS)
async def test_an_exception_in_the_writer_rejects_its_batch_and_later_commands_succeed(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, call: str
) -> None:
    supervisor = Supervisor()
    database = await open_database(path, clock=clock, supervisor=supervisor)
    published: list[str] = []

    def publish(entries: Sequence[Entry]) -> None:
        published.extend(entry.message for entry in entries if isinstance(entry, Message))

    database.journal.publish = publish
    original = getattr(database.journal, call)

    def fail_once(*_arguments: Any) -> Any:
        monkeypatch.setattr(database.journal, call, original)
        raise RuntimeError("injected")

    monkeypatch.setattr(database.journal, call, fail_once)
    first, second = await asyncio.gather(
        *(database.journal.append(build_message(text)) for text in ("first", "second")), return_exceptions=True
    )
    for outcome in (first, second):
        assert not isinstance(outcome, BaseException) or isinstance(outcome, ChatError)
    accepted = await database.journal.append(build_message("third"))
    await database.close()
    assert published[-1] == "third"
    assert accepted.entry.seq == 3 - sum(isinstance(outcome, ChatError) for outcome in (first, second))
    assert len(caplog.records) == (0 if call == "_run_with_retries" else 1)


async def test_commands_of_a_failed_writer_are_unavailable_and_readiness_reports_the_failure(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = Supervisor()
    database = await open_database(path, clock=clock, supervisor=supervisor)

    def fail(_journal: Journal, _batch: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_write_batch", fail)
        with pytest.raises(Unavailable):
            await database.journal.append(build_message("lost"))
    assert supervisor.health_problem() == "journal failed with MemoryError and restarts"
    assert (await database.journal.append(build_message("kept"))).entry.seq == 1
    await database.close()
