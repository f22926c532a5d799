"""Session lifecycle against a real server, without an app."""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from textual.worker import Worker

from server.app import RunningServer
from tests.support.wait import wait_until
from tui_chat.protocol.errors import InternalError, NotFound
from tui_chat.session.controller import SessionController
from tui_chat.session.i18n import tr
from tui_chat.session.lines import NoticeLine
from tui_chat.session.session_events import ConnectFailed, JoinFailed, SessionEvent
from tui_chat.session.settings.schema import ClientSettings
from tui_chat.session.start_options import StartOptions
from tui_chat.session.store import profile as profile_store
from tui_chat.session.store.guest_identities import find_guest_key
from tui_chat.session.store.profile import Profile
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.screens.join import JoinDetails, JoinScreen
from tui_chat.ui.session_lifecycle import SessionLifecycle


class RecordingForm:
    """Join form that records its messages."""

    def __init__(self) -> None:
        self.progress = ""
        self.is_waiting = False
        self.errors: list[tuple[str, str]] = []
        self.offers_server = False

    def begin_waiting(self, text: str) -> None:
        self.progress, self.is_waiting = text, True

    def end_waiting(self, text: str) -> None:
        self.progress, self.is_waiting = text, False

    def end_waiting_behind_chat(self) -> None:
        self.end_waiting("")

    def show_field_error(self, field: str, problem: str) -> None:
        self.is_waiting = False
        self.errors.append((field, problem))

    def offer_server(self) -> None:
        self.offers_server = True

    def set_server(self, server: str) -> None:
        raise AssertionError(server)

    def action_submit(self) -> None:
        raise AssertionError


class RecordingChat:
    """Chat screen that records its messages."""

    def __init__(self) -> None:
        self.view = self.room_navigation = self
        self.errors: list[str] = []
        self.session_events: list[SessionEvent] = []

    def on_current_room_changed(self) -> None:
        pass

    def on_session_event(self, event: SessionEvent) -> None:
        self.session_events.append(event)

    def show_error(self, problem: str) -> None:
        self.errors.append(problem)

    def draw_changes(self) -> None:
        pass


class TaskWorker:
    """Worker around a task."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self.task = asyncio.create_task(work)

    def cancel(self) -> None:
        self.task.cancel()

    async def wait(self) -> None:
        with suppress(asyncio.CancelledError):
            await self.task


class RecordingWindow:
    """Window of a lifecycle with the directory of its saved state."""

    def __init__(self, directory: Path) -> None:
        self.settings = ClientSettings()
        self.form = RecordingForm()
        self.join_form = cast("JoinScreen", self.form)
        self.chat: RecordingChat | None = None
        self.state = directory / "state"
        self.lifecycle = SessionLifecycle(self, StartOptions(self.state, directory / "log", room="tea"), Profile())

    def change_setting(self, name: str, value: object) -> str:
        raise AssertionError(name, value)

    def open_chat(self, controller: SessionController) -> ChatScreen:
        assert controller.session is self.lifecycle.session
        self.chat = RecordingChat()
        return cast("ChatScreen", self.chat)

    def close_chat(self) -> None:
        self.chat = None

    def start_worker(self, work: Coroutine[Any, Any, None], group: str) -> Worker[None]:
        assert group in {"connection", "local-server"}
        self.worker = TaskWorker(work)
        return cast("Worker[None]", self.worker)

    def show_status(self, text: str) -> None:
        raise AssertionError(text)

    def on_events_queued(self) -> None:
        asyncio.get_running_loop().call_soon(self.process)

    def process(self) -> None:
        while not self.lifecycle.process_events(time.monotonic() + 0.01, True):
            pass


@pytest.fixture
async def window(tmp_path: Path) -> AsyncGenerator[RecordingWindow]:
    recording = RecordingWindow(tmp_path)
    yield recording
    await recording.lifecycle.close()


async def test_a_joined_room_opens_the_chat_and_is_saved_in_the_profile(
    server: RunningServer, window: RecordingWindow
) -> None:
    window.lifecycle.startup_messages = ["share this address"]
    window.lifecycle.connect(JoinDetails("tea", "ann", server.url, "typed address"))
    assert window.form.is_waiting
    await wait_until(lambda: window.chat)
    assert not window.form.is_waiting
    saved, problem = profile_store.load(window.state)
    assert problem == ""
    assert (saved.room, saved.nick, saved.server) == ("tea", "ann", "typed address")
    assert find_guest_key(saved, server.url, "ann")
    session = window.lifecycle.session
    assert session is not None
    assert session.current_room is not None
    notices = [line.text for line in session.current_room.transcript.lines if isinstance(line, NoticeLine)]
    assert "share this address" in notices


async def test_startup_messages_are_shown_only_in_the_first_chat(
    server: RunningServer, window: RecordingWindow
) -> None:
    window.lifecycle.startup_messages = ["share this address"]
    for expected in (["share this address"], []):
        window.lifecycle.connect(JoinDetails("tea", "ann", server.url, server.url))
        await wait_until(lambda: window.chat)
        session = window.lifecycle.session
        assert session is not None
        assert session.current_room is not None
        lines = session.current_room.transcript.lines
        assert [line.text for line in lines if isinstance(line, NoticeLine) and "address" in line.text] == expected
        window.lifecycle.on_session_ended("")


async def test_the_form_returns_after_the_last_room(server: RunningServer, window: RecordingWindow) -> None:
    controllers: list[SessionController] = []
    open_chat = window.open_chat
    window.open_chat = lambda controller: controllers.append(controller) or open_chat(controller)
    window.lifecycle.connect(JoinDetails("tea", "ann", server.url, server.url))
    await wait_until(lambda: window.chat)
    controllers[0].server_link.leave("tea")
    await wait_until(lambda: window.chat is None)
    assert window.form.progress != ""
    assert window.lifecycle.session is None


async def test_an_unreachable_local_server_is_offered_as_a_new_one(window: RecordingWindow) -> None:
    window.lifecycle.connect(JoinDetails("tea", "ann", "http://127.0.0.1:9", "localhost:9"))
    await wait_until(lambda: window.form.offers_server)
    assert window.form.errors == [("server", tr("No chat server at {server}.", server="http://127.0.0.1:9"))]
    assert window.lifecycle.session is None


async def test_an_error_appears_on_the_open_screen_and_an_internal_error_on_the_form(
    server: RunningServer, window: RecordingWindow
) -> None:
    controllers: list[SessionController] = []
    open_chat = window.open_chat
    window.open_chat = lambda controller: controllers.append(controller) or open_chat(controller)
    window.lifecycle.show_error("too early")
    assert window.form.errors == [("server", "too early")]
    window.lifecycle.connect(JoinDetails("tea", "ann", server.url, server.url))
    await wait_until(lambda: window.chat)
    assert window.chat is not None
    failure = JoinFailed("ops", NotFound("room_not_found"))
    controllers[0].apply(failure)
    assert window.chat.errors == ["No such room."]
    assert window.chat.session_events[-1] is failure
    controllers[0].apply(ConnectFailed(InternalError("client_error")))
    assert window.chat is None
    assert window.form.errors[1:] == [("server", "Internal error of this program; see its log.")]


async def test_the_form_is_not_submitted_after_a_cancelled_start_of_a_server(
    window: RecordingWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = asyncio.Event()

    async def start_or_join(host: str, port: int) -> list[str]:
        await started.wait()
        return []

    monkeypatch.setattr(window.lifecycle.local_server, "start_or_join", start_or_join)
    window.lifecycle.start_local_server("127.0.0.1", 9, join=True)
    await wait_until(lambda: window.form.is_waiting)
    window.lifecycle.on_session_ended("")
    assert not window.form.is_waiting
    started.set()
    await window.worker.wait()
