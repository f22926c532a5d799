"""Memory use while a terminal accepts no output, for example with a frozen window."""

from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from server.app import RunningServer
from tests.support.chat_app import chat_app_in_room
from tests.support.raw_client import raw_client
from tui_chat.client import event_queue
from tui_chat.session import chat_session, transcript
from tui_chat.session.lines import MessageLine


async def send_flood(url: str, lines: int) -> None:
    async with raw_client(url) as bob:
        await bob.join("tea", "bob")
        await bob.send_messages("tea", [*(f"line {number}" for number in range(lines)), "the last line"])


async def test_a_blocked_terminal_does_not_accumulate_messages_in_memory(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked: list[bool] = []  # the terminals of a test run never block
    monkeypatch.setattr(HeadlessDriver, "is_output_blocked", property(lambda _: bool(blocked)), raising=False)
    monkeypatch.setattr(event_queue, "HIGH_WATER_MARK", 100)
    monkeypatch.setattr(transcript, "MAX_QUEUED_LINES", 200)
    monkeypatch.setattr(chat_session, "MAX_LINES", 300)
    monkeypatch.setattr(chat_session, "MAX_SCROLLBACK_LINES", 400)
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        tea, event_backlog = ann.chat_screen.session.rooms["tea"], ann.chat_screen.server_link.event_queue
        blocked.append(True)
        for _ in range(10):
            await send_flood(server.url, 100)
            await ann.wait_until(lambda: not event_backlog.is_overfull)
        while len(tea.transcript.lines) >= 500:  # the trim event is queued behind older events
            await send_flood(server.url, 100)
            await ann.wait_until(lambda: not event_backlog.is_overfull)
        assert "bob" not in ann.screen_text()
        assert tea.unread_count > 900
        blocked.clear()
        await ann.wait_for_text("the last line")
        await ann.wait_until(lambda: tea.unread_count == 0)
        texts = [line.text for line in ann.timeline.lines if isinstance(line, MessageLine)]
        assert texts == [line.text for line in tea.transcript.lines if isinstance(line, MessageLine)]
        monkeypatch.setattr(chat_session, "MAX_SCROLLBACK_LINES", 700)  # keeps a page of older messages
        await ann.press("alt+home")
        await ann.wait_until(lambda: len(tea.transcript.lines) > len(texts))
