"""Requests to quit the app: confirmation, unsent messages and repetition."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from textual import events

from server.app import RunningServer
from tests.support.chat_app import chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.session import quitting
from tui_chat.session.i18n import tr
from tui_chat.session.strings import app as app_strings
from tui_chat.ui.session_lifecycle import SessionLifecycle


@pytest.fixture
def long_confirm_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Extend the time for the second Ctrl+C to a minute."""
    monkeypatch.setattr(quitting, "QUIT_CONFIRM_WINDOW", 60.0)


@pytest.mark.usefixtures("long_confirm_window")
async def test_ctrl_c_clears_the_composer_and_quits_after_a_confirmation(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("half")
        await ann.press("ctrl+c")
        assert ann.composer.text == ""
        await ann.press("ctrl+c")
        await ann.wait_for_text(tr(app_strings.CONFIRM_QUIT, key="Ctrl+C"))
        await ann.type_text("another key")
        await ann.press("ctrl+c", "ctrl+c")
        await ann.type_text("more")
        assert ann.composer.text == "more"
        await ann.press("ctrl+c", "ctrl+c", "ctrl+c")
        await ann.wait_until(lambda: not ann.app.is_running)


@pytest.mark.usefixtures("long_confirm_window")
async def test_repeated_requests_to_quit_continue_the_running_shutdown(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit, close = asyncio.Event(), SessionLifecycle.close
    calls: list[str] = []

    async def close_when_permitted(lifecycle: SessionLifecycle) -> str:
        calls.append("started")
        await permit.wait()
        message = await close(lifecycle)
        calls.append("closed")
        return message

    monkeypatch.setattr(SessionLifecycle, "close", close_when_permitted)
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("ctrl+c", "ctrl+c", "ctrl+c")
        ann.app.on_terminal_disconnected()
        await ann.wait_until(lambda: calls)
        permit.set()
        await wait_until(lambda: ann.app.return_code is not None)
        assert calls == ["started", "closed"]
        assert ann.app.return_code == 129


async def test_quitting_right_after_a_message_sends_the_message_first(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        for key in ("b", "y", "e", "enter", "ctrl+q"):
            ann.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await wait_until(lambda: not ann.app.is_running)
        await wait_until(lambda: [message.message for message in room.log.messages()] == ["bye"])


async def test_quitting_offline_with_unsent_messages_warns_once(tmp_path: Path) -> None:
    async with AsyncExitStack() as server_stack:
        first_server = await server_stack.enter_async_context(running_server(tmp_path))
        async with chat_app_in_room(tmp_path, first_server.url, "ann") as ann:
            await server_stack.aclose()
            await ann.wait_for_text("offline")
            await ann.send_message("unsent")
            await ann.press("ctrl+q")
            await ann.wait_for_text(tr("Some messages are unsent. Quit again to send them later.")[:40])
            assert ann.app.is_running
            await ann.press("ctrl+q")
            await wait_until(lambda: not ann.app.is_running)
