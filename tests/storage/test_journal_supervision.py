"""Exceptions inside the writer of the journal."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from server.observability.supervision import Supervisor
from server.storage.batch_writer import AppendResult
from server.storage.database import Database, open_database
from server.storage.errors import StorageError
from server.storage.journal import Journal
from tests.support.storage import ManualClock, RoomRef, build_message
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import Entry, Message

TEA = RoomRef(key="tea", name="Tea")


async def append_with_failure(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, call: str, *, in_outage: bool = False
) -> tuple[list[AppendResult | BaseException], list[str]]:
    """Append "first" and "second" in one batch while `call` of the journal or its executor raises once, then "third".

    With `in_outage`, the first transaction fails before its start.

    Returns:
        Outcomes of the three commands, and the published texts.
    """
    database = await open_database(path, clock=clock, supervisor=Supervisor())
    journal = database.journal
    published: list[str] = []

    def publish(entries: Sequence[Entry]) -> None:
        published.extend(entry.message for entry in entries if isinstance(entry, Message))

    journal.publish = publish
    writer = journal._writer  # pyright: ignore[reportPrivateUsage]
    inject_failure(journal if hasattr(journal, call) else writer, call, monkeypatch, RuntimeError("injected"))
    if in_outage:
        inject_failure(writer, "run", monkeypatch, StorageError("injected"))
    outcomes = await asyncio.gather(
        *(journal.append(build_message(text)) for text in ("first", "second")), return_exceptions=True
    )
    outcomes.append(await journal.append(build_message("third")))
    await database.close()
    return outcomes, published


def inject_failure(owner: Any, call: str, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Make a method raise an error at its next call, in place of its effect."""
    original = getattr(owner, call)

    def fail_once(*_arguments: Any) -> Any:
        monkeypatch.setattr(owner, call, original)
        raise error

    monkeypatch.setattr(owner, call, fail_once)


def get_seqs(outcomes: list[AppendResult | BaseException]) -> list[int]:
    """Return the sequence numbers of successful commands."""
    return [outcome.entry.seq for outcome in outcomes if isinstance(outcome, AppendResult)]


@pytest.mark.parametrize("call", ["_write_batch", "_commit"])
async def test_a_failure_of_the_writer_before_the_commit_rejects_the_batch(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, call: str
) -> None:
    outcomes, published = await append_with_failure(path, clock, monkeypatch, call)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable, AppendResult]
    assert (get_seqs(outcomes), published) == ([1], ["third"])
    assert len(caplog.records) == 1


async def test_a_failure_to_reconnect_in_an_outage_rejects_the_batch(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes, published = await append_with_failure(path, clock, monkeypatch, "reconnect", in_outage=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable, AppendResult]
    assert (get_seqs(outcomes), published) == ([1], ["third"])
    assert [record.message for record in caplog.records] == [
        "database write failed: injected",
        "journal failed, restarting",
        "database writes resumed",
    ]


async def test_a_failure_between_commit_and_result_writes_no_command_twice(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes, published = await append_with_failure(path, clock, monkeypatch, "report_recovery")
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable, AppendResult]
    assert (get_seqs(outcomes), published) == ([3], ["third"])
    assert len(caplog.records) == 1


async def test_a_command_that_cannot_be_added_to_a_batch_is_rejected_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = database.journal._statements  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(statements, "max_rooms", 1)
    invalid: Any = None
    commands = [build_message("first", room=invalid), build_message("second"), build_message("third", room=TEA)]
    outcomes = await asyncio.gather(*map(database.journal.append, commands), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, AppendResult, AppendResult]


@pytest.mark.parametrize("call", ["_linger", "run", "_take_batch"])
async def test_a_failure_outside_of_a_batch_or_of_its_transaction_rejects_no_command(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, call: str
) -> None:
    outcomes, published = await append_with_failure(path, clock, monkeypatch, call)
    assert (get_seqs(outcomes), published) == ([1, 2, 3], ["first", "second", "third"])
    assert len(caplog.records) == (call != "run")  # a retried command is no failure


@pytest.mark.parametrize("call", ["_select_unpublished", "publish"])
async def test_a_failure_after_the_commit_rejects_no_command_and_publishes_no_entry_of_the_batch(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, call: str
) -> None:
    outcomes, published = await append_with_failure(path, clock, monkeypatch, call)
    assert (get_seqs(outcomes), published) == ([1, 2, 3], ["third"])
    assert len(caplog.records) == 1


async def test_commands_of_a_failed_writer_are_unavailable_and_the_supervisor_reports_the_failure(
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
