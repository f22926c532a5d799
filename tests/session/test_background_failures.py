"""Unexpected exceptions in the background work of a session: logged or reported once, then repeated or undone."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.fake_room import FakeRoom
from tests.support.wait import wait_until
from tui_chat.client.events import Online, ReadMarker
from tui_chat.protocol.responses import OwnRoom
from tui_chat.session import read_marker_sync
from tui_chat.session.auto_away import AutoAway
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.delayed_deletions import DelayedDeletions
from tui_chat.session.durable_room_loader import DurableRoomLoader
from tui_chat.session.i18n import tr
from tui_chat.session.lines import DeletionState
from tui_chat.session.read_marker_sync import ReadMarkerSync
from tui_chat.session.server_link import ServerLink
from tui_chat.session.session_events import DurableRoomsReceived, RequestFailed
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.strings import app as app_strings

INTERNAL_ERROR = RequestFailed(tr(app_strings.INTERNAL_ERROR))


class FailingCall:
    """Function whose first `failure_count` calls raise an error.

    Attributes:
        calls: Arguments of the successful calls.
    """

    def __init__(self, failure_count: int = 1, result: Any = None) -> None:
        self._failure_count = failure_count
        self._result = result
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Raise an error, or record the arguments and the values of the options."""
        if self._failure_count:
            self._failure_count -= 1
            raise RuntimeError("injected")
        self.calls.append((*arguments, *options.values()))
        return self._result

    async def run(self, *arguments: Any, **options: Any) -> Any:
        """Call the function in a coroutine."""
        return self(*arguments, **options)


@pytest.fixture
def link() -> ServerLink:
    """Link without a connection."""
    return ServerLink(SessionTarget("http://127.0.0.1:1", "tea", "ann", restore_rooms=False), Path(), None)


@pytest.fixture
def session() -> ChatSession:
    """Connected session with the room `tea`."""
    session = ChatSession(lambda: 1_000)
    session.add_room(FakeRoom("tea").join("one", "two"))
    session.connection_state = Online()
    return session


def replace_client(link: ServerLink, monkeypatch: pytest.MonkeyPatch, **parts: object) -> None:
    """Replace the client of a link."""
    monkeypatch.setattr(link, "require_client", lambda: SimpleNamespace(**parts))


def messages_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the texts of all log lines."""
    return [record.message for record in caplog.records]


async def test_a_failed_check_or_request_of_the_automatic_status_is_logged_once(
    link: ServerLink, session: ChatSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings, set_status = FailingCall(2, ClientSettings(away_after=1)), FailingCall()
    replace_client(
        link, monkeypatch, user=SimpleNamespace(is_away=False, status_change_count=0, set_status=set_status.run)
    )
    now = 1_000.0
    auto_away = AutoAway(session, link, settings, lambda: now)
    now += 60
    for _ in range(2):
        auto_away.check()
    assert messages_of(caplog) == ["check of the automatic status failed: repeated at the next check"]
    auto_away.check()
    await asyncio.sleep(0)
    assert messages_of(caplog)[1:] == ["automatic status not changed: unexpected error"]
    auto_away.record_input()
    await asyncio.sleep(0)
    assert set_status.calls == [(False,)]


async def test_memberships_are_loaded_after_a_failed_load(
    link: ServerLink, session: ChatSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    load = FailingCall(result=list[OwnRoom]())
    replace_client(link, monkeypatch, owned_rooms=SimpleNamespace(list_memberships=load.run))
    loader = DurableRoomLoader(session, link, lambda: True)
    for start, event in ((loader.load_once, INTERNAL_ERROR), (loader.refresh, DurableRoomsReceived((), True))):
        start()
        await link.wait_until_idle()
        assert link.event_queue.pop() == event
    loader.stop()
    assert len(caplog.records) == 1


def create_marker_sync(
    session: ChatSession, mark_read: FailingCall, start: Callable[[Coroutine[Any, Any, None]], object]
) -> ReadMarkerSync:
    """Return the sender of an unsent marker in `tea`."""
    marker = SimpleNamespace(state=ReadMarker(seq=-1, unread=0, mentions=0), mark_read=mark_read.run)
    room: Any = SimpleNamespace(read_marker=marker)
    return ReadMarkerSync(session, lambda _: room, has_account=lambda: True, start=start)


async def test_a_read_marker_is_sent_after_a_failed_send(
    link: ServerLink, session: ChatSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(read_marker_sync, "SEND_DELAY", 0.0)
    mark_read = FailingCall()
    markers = create_marker_sync(session, mark_read, link.start)
    markers.schedule()
    await wait_until(lambda: link.event_queue)
    assert link.event_queue.pop() == INTERNAL_ERROR
    markers.schedule()
    await wait_until(lambda: mark_read.calls)
    assert len(caplog.records) == 1


async def test_the_flush_of_read_markers_logs_an_unexpected_error(
    link: ServerLink, session: ChatSession, caplog: pytest.LogCaptureFixture
) -> None:
    mark_read = FailingCall()
    markers = create_marker_sync(session, mark_read, link.start)
    for _ in range(2):
        await markers.flush()
    assert len(mark_read.calls) == 1
    assert messages_of(caplog) == ["read marker not sent: unexpected error"]


async def test_a_message_is_shown_again_after_an_unexpected_error_of_its_deletion(
    session: ChatSession, caplog: pytest.LogCaptureFixture
) -> None:
    delete, problems = FailingCall(result=""), list[str]()
    deletions, view = DelayedDeletions(delete, problems.append), session.rooms["tea"]
    for seq in (1, 2):
        deletions.schedule(view, seq)
    assert deletions.flush()
    assert problems == ["", "", INTERNAL_ERROR.problem, ""]
    assert view.deletions.get(1, DeletionState.NONE) is DeletionState.NONE
    assert delete.calls == [("tea", 2)]
    assert messages_of(caplog) == ["deletion not queued: message shown again"]
