"""Unexpected exceptions in the background tasks of the client, against a real server."""

import logging
from collections.abc import AsyncGenerator, Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from server.app import RunningServer
from tests.support.event_recorder import EventRecorder
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tests.support.raw_client import raw_client
from tests.support.tcp_proxy import tcp_proxy
from tests.support.wait import wait_until
from tui_chat.client import membership, task_set
from tui_chat.client.client import ChatClient
from tui_chat.client.events import ConnectionState, Offline, ProblemReported
from tui_chat.client.history_sync import EntryCursor, HistorySync
from tui_chat.client.join import RoomJoiner
from tui_chat.client.membership import RoomMembership
from tui_chat.client.net.backoff import Backoff
from tui_chat.client.net.connector import Connector
from tui_chat.client.net.gate import Gate
from tui_chat.client.net.transport import Transport
from tui_chat.client.outbox.item_writer import OutboxItemWriter
from tui_chat.client.outbox.sender import OutboxSender
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.outbox_item import OutboxItemState
from tui_chat.client.push_dispatcher import PushDispatcher
from tui_chat.client.room import Room
from tui_chat.client.roster import Roster
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.client.storage.room_cache import RoomCache
from tui_chat.client.storage.sqlite_file import SqliteFile
from tui_chat.client.sync.room_log import RoomLog

FAULTS: dict[type, tuple[str, ...]] = {
    Connector: (
        "_run_connection",
        "_set_state",
        "_open_transport",
        "_attempt_connect",
        "_wait_before_retry",
        "_ping_periodically",
        "_update_latency",
        "_watch_for_suspend",
    ),
    ChatClient: ("_on_connected", "_on_disconnected", "_emit"),
    Backoff: ("next_delay",),
    Gate: ("set", "clear"),
    Transport: ("wait_closed", "close", "join", "request", "send", "ping", "_watch", "_cleanup"),
    PushDispatcher: ("_apply",),
    RoomJoiner: ("join", "_load_cache"),
    RoomMembership: ("join", "on_disconnected", "on_push", "load_cache"),
    Roster: ("reset", "_notify"),
    EntryCursor: ("offer",),
    HistorySync: ("on_join", "on_push", "_auto_fill", "_fetch", "_notify"),
    RoomLog: ("apply_join", "apply_push", "apply_page", "gaps", "missing_after", "pop_dirty"),
    OutboxSender: ("_send_all", "_next_item", "_send", "_request", "_on_sent", "claim_orphans"),
    OutboxItemWriter: ("_delete", "claim_orphans"),
    Outbox: ("add", "delete", "_flush_writes", "_execute", "claim_orphans"),
    RoomCache: ("_write_dirty", "save_room_info"),
    LocalHistory: ("write", "save_room_info"),
    SqliteFile: ("run", "_run_operation"),
}
"""Functions that are called in the background tasks, by class."""


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[RunningServer]:
    """Server of all tests; each test uses its own room."""
    directory = tmp_path_factory.mktemp("server")
    async with running_server(
        directory, rate_limit="off", connects_per_minute=1_000, rooms_per_minute=1_000
    ) as running:
        yield running


class InjectedFault(Exception):
    """Exception that no code expects."""


class FaultInjector:
    """Injector of one exception into the next call of a function, once armed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        self.is_armed = self.has_fired = False
        function: Callable[..., Any] = getattr(owner, name)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.is_armed:
                self.is_armed, self.has_fired = False, True
                raise InjectedFault
            return function(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)


def retry_failed_items(room: Room) -> None:
    for item in room.unsent():
        if item.state is OutboxItemState.FAILED:
            room.retry(item.client_id)


@pytest.mark.parametrize(
    "function",
    [pytest.param((owner, name), id=f"{owner.__name__}.{name}") for owner, names in FAULTS.items() for name in names],
)
async def test_background_tasks_continue_after_an_unexpected_exception(
    server: RunningServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    function: tuple[type, str],
) -> None:
    owner, name = function
    room_name = f"{owner.__name__}.{name}"
    monkeypatch.setattr(task_set, "RESTART_DELAY", 0.01)
    monkeypatch.setattr(membership, "HISTORY_PAGE", 2)  # the response of a rejoin lacks missed messages
    fault = FaultInjector(monkeypatch, owner, name)
    fault.is_armed = function == (Connector, "_watch_for_suspend")  # called only at the start
    caplog.set_level(logging.WARNING)
    async with (
        raw_client(server.url) as bob,
        tcp_proxy(server.port) as proxy,
        Outbox(tmp_path) as outbox,
        LocalHistory(tmp_path) as history,
        ChatClient(proxy.url, outbox=outbox, history=history, random=lambda: 0.0) as ann_client,
    ):
        events = EventRecorder(ann_client)
        await bob.join(room_name, "bob")
        ann = await ann_client.join(room_name, nick="ann")
        await ann.flush()  # a running write of the history would include later changes
        fault.is_armed = function != (Connector, "_watch_for_suspend")
        proxy.reset_all()
        proxy.stall()
        await bob.send_messages(room_name, ["missed 0", "missed 1", "missed 2"])
        proxy.resume()
        ann.post("from ann")

        skipped_delay: ConnectionState | None = None

        def retry_and_check_synchronized() -> bool:
            # Once per delay: during an attempt, the interruption would discard the exception of the fault.
            nonlocal skipped_delay
            if isinstance(ann_client.state, Offline) and ann_client.state is not skipped_delay:
                skipped_delay = ann_client.state
                ann_client.reconnect_now()
            retry_failed_items(ann)
            return not ann.unsent() and ann.membership.context.gate.value is not None

        await wait_until(retry_and_check_synchronized)
        await bob.send_messages(room_name, ["live 0", "live 1"])
        page = await bob.request("history", {"room": room_name, "after": 0})
        expected = [entry["message"] for entry in page["messages"]]
        assert len(expected) == 6
        await wait_until(lambda: message_texts(ann) == expected)
        await ann.flush()
        assert ann.unsent() == ()
        problems = events.of_type(ProblemReported)
    reports = [record for record in caplog.records if record.exc_info and record.exc_info[0] is InjectedFault]
    assert fault.has_fired
    assert len(reports) == 1
    assert len(problems) <= 1
