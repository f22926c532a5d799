"""Confirmations before quitting, without an app."""

from dataclasses import dataclass, field
from typing import cast

from textual.events import Key
from textual.worker import Worker

from tui_chat.session.i18n import tr
from tui_chat.session.quitting import QUIT_CONFIRM_WINDOW, QUIT_FLUSH_TIMEOUT
from tui_chat.session.strings import app as app_strings
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.quit_flow import QuitFlow


@dataclass
class QuitRecorder:
    """Environment of a `QuitFlow` with a virtual clock."""

    pending_count: int = 0
    now: float = 100.0
    acknowledged_at: float = float("inf")
    events: list[str] = field(default_factory=list[str])
    is_finished: bool = False
    keymap: Keymap = field(default_factory=Keymap)

    def create_flow(self) -> QuitFlow:
        return QuitFlow(
            lambda: self.keymap,
            lambda: self.pending_count if self.now < self.acknowledged_at else 0,
            self.events.append,
            self.start_shutdown,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def start_shutdown(self) -> Worker[None]:
        self.events.append("quit")
        return cast("Worker[None]", self)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_second_interrupt_quits_within_the_confirm_window() -> None:
    recorder = QuitRecorder()
    flow = recorder.create_flow()
    flow.interrupt()
    recorder.now += QUIT_CONFIRM_WINDOW + 0.1
    flow.interrupt()
    assert recorder.events == [tr(app_strings.CONFIRM_QUIT, key="Ctrl+C")] * 2
    recorder.now += QUIT_CONFIRM_WINDOW - 0.1
    flow.interrupt()
    assert recorder.events[2:] == ["quit"]


def test_a_rebound_interrupt_key_is_named_and_confirms_and_any_other_key_resets_the_confirmation() -> None:
    recorder = QuitRecorder(keymap=Keymap({"interrupt": "alt+c"}))
    flow = recorder.create_flow()
    for key in ("alt+c", "ctrl+c", "alt+c"):
        flow.record_input(Key(key, None))
        if key == "alt+c":
            flow.interrupt()
    assert recorder.events == [tr(app_strings.CONFIRM_QUIT, key="Alt+C")] * 2
    flow.record_input(Key("alt+c", None))
    flow.interrupt()
    assert recorder.events[2:] == ["quit"]


def test_a_running_shutdown_continues_and_a_failed_one_starts_again() -> None:
    recorder = QuitRecorder()
    flow = recorder.create_flow()
    for number in (15, 1):
        flow.quit_on_signal(number)
    assert recorder.events == ["quit"]
    assert flow.exit_code == 128 + 15
    recorder.is_finished = True
    flow.quit_on_signal(15)
    assert recorder.events == ["quit", "quit"]


async def test_quitting_waits_for_the_acknowledgement_of_pending_messages() -> None:
    recorder = QuitRecorder(pending_count=1, acknowledged_at=100.4)
    await recorder.create_flow().quit_when_sent()
    assert recorder.events == ["quit"]
    assert 100.4 <= recorder.now < 100.0 + QUIT_FLUSH_TIMEOUT


async def test_the_first_quit_with_unsent_messages_only_warns() -> None:
    recorder = QuitRecorder(pending_count=1)
    flow = recorder.create_flow()
    await flow.quit_when_sent()
    assert recorder.events == [tr("Some messages are unsent. Quit again to send them later.")]
    await flow.quit_when_sent()
    assert recorder.events[1:] == ["quit"]
