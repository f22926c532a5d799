"""The bare view: running text for the terminal's own selection."""

import os
import shlex
import subprocess
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.in_process_server import running_server
from tests.support.requirements import require_tmux
from tests.support.terminal import CHAT_TUI, MOUSE_MODES, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.ui.screens.copy_mode import wrap_rows

ADDRESS = "https://example.org/" + "a" * 150


async def test_it_shows_only_the_talk_lets_the_mouse_go_and_comes_back(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        for number in range(60):
            await room.send(f"line {number}")
        await room.send(f"see {ADDRESS} there")
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        async with terminal(command, tmp_path / "home") as shown:
            await shown.wait_for_text("there")
            before = shown.screen_text()
            written = len(shown.written)
            shown.write_keys("\x1bl")
            await shown.wait_for_text("back to the chat")
            text = shown.screen_text()
            assert "Enter send" not in text
            assert "online" not in text
            assert "─" not in text
            # The terminal was given the address in one piece, and wrapped it itself.
            assert ADDRESS.encode() in bytes(shown.written[written:])
            rows = [row for row in text.splitlines() if "bob: see" in row]
            assert rows
            assert rows[0].startswith(tuple("0123456789"))
            assert not shown.private_modes() & (set(MOUSE_MODES) - {1002})
            shown.write_keys("\x1b[5~")
            await shown.wait_for_text("line 20")
            shown.resize(60, 20)
            await shown.wait_for_text("back to the chat")
            shown.resize(80, 24)
            shown.write_keys("\x1b")
            await shown.wait_for_text("Enter send")
            assert shown.screen_text().splitlines()[-1] == before.splitlines()[-1]
            assert shown.private_modes() >= set(MOUSE_MODES) - {1002}


TEXT = st.text(st.sampled_from("abc é\tﬁя"), max_size=80)  # pyte does not wrap wide characters as terminals do


@given(TEXT, st.integers(4, 30))
def test_a_terminal_makes_the_rows_of_a_line_that_were_counted(text: str, width: int) -> None:
    rows = wrap_rows(text, width)
    screen = pyte.Screen(width, 60)
    pyte.Stream(screen).feed("".join(row for row, _ in rows))
    shown = [row.rstrip() for row in screen.display if row.strip()]
    counted = [row.rstrip() for row, _ in rows if row.strip()]
    assert [row.replace(" ", "") for row in shown] == [row.replace(" ", "") for row in counted]
    assert [ends for _, ends in rows] == [False] * (len(rows) - 1) + [True]


@pytest.mark.needs_tmux
async def test_a_terminal_selects_a_wrapped_line_as_one_and_takes_what_is_copied(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, ChatClient(server.url) as other:
        room = await other.join("tea", nick="bob")
        said = f"see {ADDRESS} 你好"
        await room.send(said)
        command = [*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann"]
        async with tmux(command, tmp_path / "home") as run:
            await wait_until(lambda: "1 here" in run("capture-pane", "-p") or "2 here" in run("capture-pane", "-p"))
            await wait_until(lambda: "你好" in run("capture-pane", "-p"))
            run("send-keys", "M-l")
            await wait_until(lambda: f"bob: {said}" in run("capture-pane", "-p", "-J"))
            run("send-keys", "Escape")
            await wait_until(lambda: "Enter send" in run("capture-pane", "-p"))
            run("send-keys", "C-s")
            await wait_until(lambda: "▌" in run("capture-pane", "-p"))
            run("send-keys", "y")
            await wait_until(lambda: run("list-buffers") != "")
            assert run("show-buffer") == said


@asynccontextmanager
async def tmux(command: Sequence[str], home: Path) -> AsyncGenerator[Callable[..., str]]:
    """A program in a tmux of its own, and what runs tmux's commands in it."""
    home.mkdir()
    environ = {**os.environ, "HOME": str(home), "LANG": "C.UTF-8"}
    environ = {name: value for name, value in environ.items() if name not in {"TMUX", "STY", "NO_COLOR"}}

    def run(*arguments: str) -> str:
        whole = (require_tmux(), "-u", "-f", "/dev/null", "-S", str(home / "tmux"), *arguments)
        ran = subprocess.run(whole, env=environ, capture_output=True, text=True, check=False, timeout=20)
        return ran.stdout.rstrip("\n")

    run("new-session", "-d", "-x", "80", "-y", "24", shlex.join(command))
    try:
        run("set", "-g", "set-clipboard", "on")
        yield run
    finally:
        run("kill-server")
