"""Clipboard, notifications, title and mouse reporting of the terminal output, without an app."""

from base64 import b64encode
from typing import Any, cast

import pytest
from textual.driver import Driver

from tui_chat.session.settings.schema import ClientSettings
from tui_chat.ui.terminal.terminal_output import MAX_CLIPBOARD_BYTES, TerminalOutput


class PlainDriver:
    """Terminal driver that records its output."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, data: str) -> None:
        self.written.append(data)


class RecordingWindowDriver(PlainDriver):
    """Driver with title and mouse switching."""

    def __init__(self) -> None:
        super().__init__()
        self.titles: list[str] = []
        self.mouse = True

    def set_window_title(self, title: str) -> None:
        self.titles.append(title)

    def set_mouse_enabled(self, enabled: bool) -> None:
        self.mouse = enabled


def terminal_output(driver: PlainDriver | None, *, term: str = "xterm", **settings: Any) -> TerminalOutput:
    client_settings = ClientSettings(**settings)
    return TerminalOutput(
        lambda: cast("Driver | None", driver), lambda: client_settings, {"TERM": term}, lambda enabled: None
    )


def test_text_above_the_clipboard_limit_is_not_written() -> None:
    driver = PlainDriver()
    output = terminal_output(driver)
    assert not output.copy_to_clipboard("é" * (MAX_CLIPBOARD_BYTES // 2 + 1))
    assert driver.written == []
    text = "é" * (MAX_CLIPBOARD_BYTES // 2)
    assert output.copy_to_clipboard(text)
    assert driver.written == [f"\x1b]52;c;{b64encode(text.encode()).decode()}\x1b\\"]


@pytest.mark.parametrize(
    ("term", "method", "expected"),
    [
        ("foot", "auto", "\x1b]777;notify;a, b;c\x1b\\"),
        ("foot", "bell", "\a"),
        ("xterm", "auto", "\a"),
    ],
)
def test_a_notification_uses_the_method_of_the_setting_or_the_terminal(term: str, method: str, expected: str) -> None:
    driver = PlainDriver()
    terminal_output(driver, term=term, notification_method=method).send_notification("a; b", "c")
    assert driver.written == [expected]


def test_an_unchanged_title_is_written_once() -> None:
    driver = RecordingWindowDriver()
    output = terminal_output(driver)
    output.set_window_title("tea")
    output.set_window_title("tea")
    output.set_window_title("")
    assert driver.titles == ["\x1b]2;tea\x1b\\", ""]


@pytest.mark.parametrize(("term", "enabled"), [("linux", True), ("xterm", False)])
def test_no_title_is_written_without_support_or_setting(term: str, enabled: bool) -> None:
    driver = RecordingWindowDriver()
    terminal_output(driver, term=term, terminal_title=enabled).set_window_title("tea")
    assert driver.titles == []


def test_applied_settings_end_a_mouse_override() -> None:
    driver = RecordingWindowDriver()
    output = terminal_output(driver)
    output.set_mouse_enabled(False)
    assert not driver.mouse
    output.apply_settings()
    assert driver.mouse


@pytest.mark.parametrize("driver", [None, PlainDriver()])
def test_title_and_mouse_need_a_capable_driver(driver: PlainDriver | None) -> None:
    output = terminal_output(driver)
    output.set_window_title("tea")
    output.set_mouse_enabled(False)
    output.apply_settings()
    assert driver is None or driver.written == []
