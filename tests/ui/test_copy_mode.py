"""Copy mode: unwrapped text for the native selection of the terminal."""

import shlex
import subprocess
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pyte
import pytest
from hypothesis import given, strategies as st

from tests.support.chat_app import chat_app
from tests.support.environment import program_environment
from tests.support.in_process_server import running_server
from tests.support.requirements import require_tmux
from tests.support.terminal import CHAT_TUI, MOUSE_MODES, terminal
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.ui.screens.copy_mode import CopyModeScreen, wrap_rows

LONG_URL = "https://example.org/" + "a" * 150


async def test_copy_mode_shows_only_messages_or_the_help_and_releases_the_mouse_until_closed(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        for number in range(60):
            await room.send(f"line {number}")
        await room.send(f"see {LONG_URL} there")
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        async with terminal(command, tmp_path / "home") as tty:
            await tty.wait_for_text("there")
            await tty.wait_for_text("Ctrl+Q quit")  # end of the last row
            key_bar = tty.screen_text().splitlines()[-1]
            bytes_before = len(tty.written)
            tty.write_keys("\x1bl")
            await tty.wait_for_text("Esc close")
            text = tty.screen_text()
            assert "Enter send" not in text
            assert "online" not in text
            assert "─" not in text
            # The URL is written without a line break, so the terminal wraps the row.
            assert LONG_URL.encode() in bytes(tty.written[bytes_before:])
            rows = [row for row in text.splitlines() if "bob: see" in row]
            assert rows
            assert rows[0].startswith("[")
            assert not tty.private_modes() & (set(MOUSE_MODES) - {1002})
            tty.write_keys("\x1b[5~")
            await tty.wait_for_text("line 20")
            tty.write_keys("\x1bOP")
            await tty.wait_for_text("Keys and commands")
            tty.write_keys("\x1b")
            await tty.wait_for_text("line 20")
            tty.resize(60, 20)
            tty.reset_screen()
            await tty.wait_for_text("Esc close")
            tty.resize(80, 24)
            tty.write_keys("\x1b")
            await wait_until(lambda: tty.screen_text().splitlines()[-1] == key_bar)
            assert tty.private_modes() >= set(MOUSE_MODES) - {1002}


async def test_page_keys_scroll_in_a_small_terminal_and_the_hint_shows_the_bound_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"copy-mode-page-up": "f7", "copy-mode-page-down": "", "copy-mode-close": "x"}
    async with chat_app(tmp_path, size=(40, 24), settings={"keys": keys}) as driver:
        pages: list[str] = []
        monkeypatch.setattr(driver.app.terminal, "write", pages.append)
        for rows in (1, 2, 3):
            await driver.pilot.resize_terminal(40, rows)
            pages.clear()
            driver.app.push_screen(CopyModeScreen("one\ntwo\nthree\nfour"))
            await driver.wait_until(lambda: pages)
            assert "four" in pages[-1]
            assert "F7 scroll · x close" in pages[-1]
            await driver.press("f7")
            assert "three" in pages[-1]
            assert "four" not in pages[-1]
            await driver.press("x")
            await driver.wait_until(lambda: not isinstance(driver.app.screen, CopyModeScreen))


# No wide characters: pyte and terminals wrap them differently.
TEXT = st.text(st.sampled_from("abc é\tﬁя"), max_size=80)


@given(TEXT, st.integers(4, 30))
def test_computed_rows_match_the_rows_of_a_terminal(text: str, width: int) -> None:
    rows = wrap_rows(text, width)
    screen = pyte.Screen(width, 60)
    pyte.Stream(screen).feed("".join(row for row, _ in rows))
    displayed_rows = [row.rstrip() for row in screen.display if row.strip()]
    expected_rows = [row.rstrip() for row, _ in rows if row.strip()]
    assert [row.replace(" ", "") for row in displayed_rows] == [row.replace(" ", "") for row in expected_rows]
    assert [is_last for _, is_last in rows] == [False] * (len(rows) - 1) + [True]


@pytest.mark.needs_tmux
async def test_tmux_joins_wrapped_lines_and_receives_copied_text(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        text = f"see {LONG_URL} 你好"
        await room.send(text)
        command = [*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann"]
        async with tmux(command, tmp_path / "home") as run:
            await wait_until(lambda: "1 here" in run("capture-pane", "-p") or "2 here" in run("capture-pane", "-p"))
            await wait_until(lambda: "你好" in run("capture-pane", "-p"))
            run("send-keys", "M-l")
            await wait_until(lambda: f"bob: {text}" in run("capture-pane", "-p", "-J"))
            run("send-keys", "Escape")
            await wait_until(lambda: "Enter send" in run("capture-pane", "-p"))
            run("send-keys", "C-s")
            await wait_until(lambda: "▌" in run("capture-pane", "-p"))
            run("send-keys", "y")
            await wait_until(lambda: run("list-buffers") != "")
            assert run("show-buffer") == text


@asynccontextmanager
async def tmux(command: Sequence[str], home: Path) -> AsyncGenerator[Callable[..., str]]:
    """Run `command` in a private tmux server of 80×24, and yield a function that runs tmux commands.

    The function returns the output of a command without trailing newlines, "" also after an error of tmux.
    """
    home.mkdir()
    environ = program_environment(home)
    environ = {name: value for name, value in environ.items() if name not in {"TMUX", "STY", "NO_COLOR"}}

    def run(*arguments: str) -> str:
        tmux_command = (require_tmux(), "-u", "-f", "/dev/null", "-S", str(home / "tmux"), *arguments)
        completed = subprocess.run(
            tmux_command, env=environ, capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
        return completed.stdout.rstrip("\n")

    run("new-session", "-d", "-x", "80", "-y", "24", shlex.join(command))
    try:
        run("set", "-g", "set-clipboard", "on")
        yield run
    finally:
        run("kill-server")
