"""Notifications, title and mouse of the real program in a real pseudo-terminal."""

import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.chat_app import chat_app
from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, MOUSE_MODES, PtyTerminal, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.room import Room

BLUR, FOCUS = "\x1b[O", "\x1b[I"
MOUSE = set(MOUSE_MODES) - {1002}


@asynccontextmanager
async def ann_and_bob(
    folder: Path, *, settings: str = "", **environ: str
) -> AsyncGenerator[tuple[PtyTerminal, Room, RunningServer]]:
    """Ann's program in the room, and Bob, who talks to her."""
    (folder / "settings.toml").write_text(settings)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(folder, rate_limit="off"))
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann", "--settings", str(folder / "settings.toml"))
        shown = await stack.enter_async_context(terminal(command, folder / "home", environ=environ))
        await shown.wait_for_text("1 here")
        chat = await stack.enter_async_context(ChatClient(server.url))
        yield shown, await chat.join("tea", nick="bob"), server


async def look_away(shown: PtyTerminal, room: Room) -> None:
    """The terminal loses the focus, which shows in the unread line that comes."""
    shown.write_keys(BLUR)
    await room.send("are you there")
    await shown.wait_for_text("new")


async def test_a_mention_is_told_while_the_terminal_is_elsewhere_and_not_while_one_looks(tmp_path: Path) -> None:
    async with ann_and_bob(tmp_path, TERM="foot") as (shown, room, _):
        await room.send("ann: in view")
        await shown.wait_for_text("ann: in view")
        await look_away(shown, room)
        assert b"]777" not in shown.written
        await room.send("ann: look; \u202ehere")
        await wait_until(lambda: b"\x1b]777;notify;bob named you in tea;ann: look, here\x1b\\" in shown.written)
        assert b"\x1b]2;(@2) tea \xc2\xb7 chat\x1b\\" in shown.written
        shown.write_keys(FOCUS)
        await wait_until(lambda: shown.written.rfind(b"\x1b]2;tea ") > shown.written.rfind(b"\x1b]2;(@2)"))


async def test_a_room_can_be_loud_and_a_notification_silent_about_what_was_said(tmp_path: Path) -> None:
    settings = 'notify_by = "osc9"\nnotify_text = false\n[rooms]\ntea = "all"\n'
    async with ann_and_bob(tmp_path, settings=settings) as (shown, room, _):
        shown.write_keys(BLUR)
        await room.send("secret")
        await wait_until(lambda: b"\x1b]9;chat: bob in tea\x1b\\" in shown.written)


async def test_a_muted_room_tells_nothing(tmp_path: Path) -> None:
    settings = 'notify_by = "bell"\nnotify = "all"\n[rooms]\ntea = "none"\n'
    async with ann_and_bob(tmp_path, settings=settings) as (shown, room, _):
        shown.write_keys("/join dev\r")
        await shown.wait_for_text("2 dev")
        await room.send("ann!")
        await shown.wait_for_text("@1")
        assert rings(bytes(shown.written)) == 0
        assert b"(@1)" not in shown.written


async def test_the_title_is_given_back_at_the_end_and_only_where_it_was_taken(tmp_path: Path) -> None:
    async with ann_and_bob(tmp_path) as (shown, *_):
        await wait_until(lambda: b"\x1b[22;2t\x1b]2;tea" in shown.written)
        shown.write_keys("/quit\r")
        assert await shown.wait_closed() == 0
        assert shown.written.count(b"\x1b[23;2t") == 1
        assert shown.written.rfind(b"\x1b[23;2t") > shown.written.rfind(b"\x1b]2;")


@pytest.mark.parametrize(("settings", "environ"), [("terminal_title = false\n", {}), ("", {"TERM": "linux"})])
async def test_no_title_where_none_is_wanted_or_known(tmp_path: Path, settings: str, environ: dict[str, str]) -> None:
    async with ann_and_bob(tmp_path, settings=settings, **environ) as (shown, *_):
        shown.write_keys("/quit\r")
        assert await shown.wait_closed() == 0
        assert b"\x1b]2;" not in shown.written
        assert b"\x1b[22;2t" not in shown.written


async def test_alt_m_leaves_the_mouse_to_the_terminal_and_takes_it_back(tmp_path: Path) -> None:
    async with ann_and_bob(tmp_path) as (shown, *_):
        assert shown.private_modes() >= MOUSE
        shown.write_keys("\x1bm")
        await shown.wait_for_text("terminal's now")
        assert not shown.private_modes() & MOUSE
        shown.write_keys("\x1bm")
        await shown.wait_for_text("works here again")
        assert shown.private_modes() >= MOUSE


async def test_a_mouse_that_is_not_wanted_is_never_taken(tmp_path: Path) -> None:
    async with ann_and_bob(tmp_path, settings="mouse = false\n") as (shown, *_):
        assert b"\x1b[?1003h" not in shown.written


async def test_without_colors_not_one_color_leaves_the_program(tmp_path: Path) -> None:
    async with ann_and_bob(tmp_path, NO_COLOR="1") as (shown, room, _):
        await room.send("ann: https://example.org/ is a link")
        await shown.wait_for_text("is a link")
        shown.write_keys("\x13")
        await shown.wait_for_text("▌")
        shown.write_keys("\x1b")
        await wait_until(lambda: "▌" not in shown.screen_text())
        shown.write_keys("\x1bOP")
        await shown.wait_for_text("/join room")
        assert colors(bytes(shown.written)) == set()
        assert b"\x1b[1m" in shown.written, "bold stays"


@pytest.mark.parametrize(
    ("environ", "unknown"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": ""}, rb"[34]8;2;"),
        ({"TERM": "xterm", "COLORTERM": ""}, rb"[34]8;[25];"),
        ({"TERM": "xterm-256color", "TEXTUAL_COLOR_SYSTEM": "standard"}, rb"[34]8;[25];"),
    ],
    ids=["256 colours", "16 colours", "16 colours wanted"],
)
async def test_a_terminal_gets_no_color_it_does_not_know(
    tmp_path: Path, environ: dict[str, str], unknown: bytes
) -> None:
    async with terminal(CHAT_TUI, tmp_path, environ=environ) as shown:
        await shown.wait_for_text("Nickname")
        assert colors(bytes(shown.written)), "there are colours"
        assert not re.search(rb"\x1b\[[0-9;]*?" + unknown, shown.written)


async def test_what_is_too_long_for_the_clipboard_is_kept_here_and_said(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(100, 24)) as person:
        person.app.copy_to_clipboard("long " * 20_000)
        await person.wait_for_text("too long for the terminal's")
        assert person.app.clipboard == "long " * 20_000


def rings(written: bytes) -> int:
    """How often the bell rang (BEL also ends sequences)."""
    return re.sub(rb"\x1b\][^\a\x1b]*(?:\a|\x1b\\)", b"", written).count(b"\a")


def colors(written: bytes) -> set[bytes]:
    """The parameters of SGR sequences that choose a colour (ECMA-48 8.3.117, and xterm's)."""
    chosen: set[bytes] = set()
    for parameters in re.findall(rb"\x1b\[([0-9;:]*)m", written):
        for number in re.split(rb"[;:]", parameters):
            if number.isdigit() and (30 <= int(number) <= 49 or 90 <= int(number) <= 107):
                chosen.add(parameters)
    return chosen
