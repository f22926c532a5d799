"""Delivery of notifications to the terminal, without an app."""

from collections.abc import Callable
from typing import cast

import pytest

from tests.support.fake_room import FakeRoom
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.notification_batcher import BATCH_INTERVAL, NotifiableMessage
from tui_chat.session.room_view import RoomView
from tui_chat.ui.terminal.notifier import Notifier
from tui_chat.ui.terminal.terminal_output import TerminalOutput


class UnreadSession:
    """Session without focus, with queued notifications."""

    has_focus = False
    current_room = None

    def __init__(self) -> None:
        self.queued: list[NotifiableMessage] = []

    def pop_notifications(self) -> list[NotifiableMessage]:
        queued, self.queued = self.queued, []
        return queued


class NotifierBench:
    """Notifier with recorded output and timers, and a virtual clock."""

    has_notification_preview = True

    def __init__(self) -> None:
        self.now = 100.0
        self.session = UnreadSession()
        self.room = RoomView(FakeRoom("tea"))
        self.sent: list[tuple[str, str]] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.notifier = Notifier(
            cast("ChatSession", self.session),
            lambda: cast("TerminalOutput", self),
            lambda delay, callback: self.timers.append((delay, callback)),
            lambda: self.now,
        )

    def send_notification(self, title: str, body: str) -> None:
        self.sent.append((title, body))

    def receive(self, text: str) -> None:
        self.session.queued.append(NotifiableMessage(self.room, "bob", text, is_mention=True))
        self.notifier.flush()


def test_notifications_within_the_batch_interval_wait_for_one_timer() -> None:
    bench = NotifierBench()
    bench.receive("one")
    assert [body for _, body in bench.sent] == ["one"]
    bench.receive("two")
    bench.receive("three")
    [(delay, on_timer)] = bench.timers
    assert delay == pytest.approx(BATCH_INTERVAL)
    bench.now += BATCH_INTERVAL
    on_timer()
    assert len(bench.sent) == 2
    bench.receive("four")
    assert len(bench.timers) == 2
