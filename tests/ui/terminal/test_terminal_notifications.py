"""Terminal notifications, window title and mouse reporting, tested through a pseudo-terminal."""

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
async def client_and_sender(
    folder: Path, *, settings: str = "", **environ: str
) -> AsyncGenerator[tuple[PtyTerminal, Room, RunningServer]]:
    """Start a client for Ann and yield its terminal, the room handle of Bob and the server."""
    (folder / "settings.toml").write_text(settings)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(folder, rate_limit="off"))
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann", "--settings", str(folder / "settings.toml"))
        tty = await stack.enter_async_context(terminal(command, folder / "home", environ=environ))
        await tty.wait_for_text("1 here")
        bob = await stack.enter_async_context(ChatClient(server.url))
        yield tty, await bob.join("tea", nick="bob"), server


async def lose_focus(tty: PtyTerminal, room: Room) -> None:
    """Send a focus-out event, and messages until the unread divider is above the newest one.

    Only the newest message is unread, because the earlier ones arrived before the focus-out event.
    """
    tty.write_keys(BLUR)
    number = 0
    while "─ new ─" not in tty.screen_text():
        number += 1
        await room.send(f"are you there {number}")
        await tty.wait_for_text(f"are you there {number}")


async def test_a_mention_is_notified_only_without_terminal_focus(tmp_path: Path) -> None:
    async with client_and_sender(tmp_path, TERM="foot") as (tty, room, _):
        await room.send("ann: in view")
        await tty.wait_for_text("ann: in view")
        await lose_focus(tty, room)
        assert b"]777" not in tty.written
        await room.send("ann: look; \u202ehere")
        await wait_until(lambda: b"\x1b]777;notify;bob mentioned you in tea;ann: look, here\x1b\\" in tty.written)
        assert b"\x1b]2;(@2) tea \xc2\xb7 chat\x1b\\" in tty.written
        tty.write_keys(FOCUS)
        await wait_until(lambda: tty.written.rfind(b"\x1b]2;tea ") > tty.written.rfind(b"\x1b]2;(@2)"))


async def test_a_room_notifies_of_all_messages_without_their_text(tmp_path: Path) -> None:
    settings = 'notification_method = "osc9"\nnotification_preview = false\n[room_notifications]\ntea = "all"\n'
    async with client_and_sender(tmp_path, settings=settings) as (tty, room, _):
        await lose_focus(tty, room)
        await wait_until(lambda: b"\x1b]9;chat: bob in tea\x1b\\" in tty.written)


async def test_a_muted_room_sends_no_notification(tmp_path: Path) -> None:
    settings = 'notification_method = "bell"\nnotify = "all"\n[room_notifications]\ntea = "none"\n'
    async with client_and_sender(tmp_path, settings=settings) as (tty, room, _):
        tty.write_keys("/join dev\r")
        await tty.wait_for_text("2 dev")
        await room.send("@ann")
        await tty.wait_for_text("@1")
        assert count_bells(bytes(tty.written)) == 0
        assert b"(@1)" not in tty.written


async def test_alt_m_toggles_mouse_reporting_and_the_window_title_is_restored_once_at_exit(tmp_path: Path) -> None:
    async with client_and_sender(tmp_path) as (tty, *_):
        await wait_until(lambda: b"\x1b[22;2t\x1b]2;tea" in tty.written)
        assert tty.private_modes() >= MOUSE
        tty.write_keys("\x1bm")
        await tty.wait_for_text("Mouse off.")
        assert not tty.private_modes() & MOUSE
        tty.write_keys("\x1bm")
        await tty.wait_for_text("Mouse on.")
        assert tty.private_modes() >= MOUSE
        tty.write_keys("/quit\r")
        assert await tty.wait_closed() == 0
        assert tty.written.count(b"\x1b[23;2t") == 1
        assert tty.written.rfind(b"\x1b[23;2t") > tty.written.rfind(b"\x1b]2;")


@pytest.mark.parametrize(
    ("settings", "environ"), [("terminal_title = false\nmouse = false\n", {}), ("", {"TERM": "linux"})]
)
async def test_title_and_mouse_reporting_stay_off_when_disabled_or_unsupported(
    tmp_path: Path, settings: str, environ: dict[str, str]
) -> None:
    async with client_and_sender(tmp_path, settings=settings, **environ) as (tty, *_):
        tty.write_keys("/quit\r")
        assert await tty.wait_closed() == 0
        assert b"\x1b]2;" not in tty.written
        assert b"\x1b[22;2t" not in tty.written
        assert not settings or b"\x1b[?1003h" not in tty.written


async def test_no_color_suppresses_all_color_sequences(tmp_path: Path) -> None:
    async with client_and_sender(tmp_path, NO_COLOR="1") as (tty, room, _):
        await room.send("ann: https://example.org/ is a link")
        await tty.wait_for_text("is a link")
        tty.write_keys("\x13")
        await tty.wait_for_text("▌")
        tty.write_keys("\x1b")
        await wait_until(lambda: "▌" not in tty.screen_text())
        tty.write_keys("\x1bOP")
        await tty.wait_for_text("/join room")
        assert color_parameters(bytes(tty.written)) == set()
        assert b"\x1b[1m" in tty.written, "bold is not a color"


@pytest.mark.parametrize(
    ("environ", "unsupported"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": ""}, rb"[34]8;2;"),
        ({"TERM": "xterm", "COLORTERM": ""}, rb"[34]8;[25];"),
        ({"TERM": "xterm-256color", "TEXTUAL_COLOR_SYSTEM": "standard"}, rb"[34]8;[25];"),
    ],
    ids=["256 colors", "16 colors", "16 colors requested"],
)
async def test_unsupported_color_sequences_are_not_sent(
    tmp_path: Path, environ: dict[str, str], unsupported: bytes
) -> None:
    async with terminal(CHAT_TUI, tmp_path, environ=environ) as tty:
        await tty.wait_for_text("Nickname")
        assert color_parameters(bytes(tty.written)), "the join form is colored"
        assert not re.search(rb"\x1b\[[0-9;]*?" + unsupported, tty.written)


async def test_a_text_too_long_for_the_terminal_clipboard_is_copied_internally_and_reported(tmp_path: Path) -> None:
    async with chat_app(tmp_path, size=(100, 24)) as driver:
        driver.app.copy_to_clipboard("long " * 20_000)
        await driver.wait_for_text("Too long for the terminal's")
        assert driver.app.clipboard == "long " * 20_000


def count_bells(written: bytes) -> int:
    """Return the number of bells, without the BEL characters that terminate sequences."""
    return re.sub(rb"\x1b\][^\a\x1b]*(?:\a|\x1b\\)", b"", written).count(b"\a")


def color_parameters(written: bytes) -> set[bytes]:
    """Return the parameters of all SGR sequences that set a color (ECMA-48, 8.3.117, and xterm extensions)."""
    matches: set[bytes] = set()
    for parameters in re.findall(rb"\x1b\[([0-9;:]*)m", written):
        for number in re.split(rb"[;:]", parameters):
            if number.isdigit() and (30 <= int(number) <= 49 or 90 <= int(number) <= 107):
                matches.add(parameters)
    return matches
