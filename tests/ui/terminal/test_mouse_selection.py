"""Mouse selection in a real terminal: the copied text for drags that leave the messages."""

import base64
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

Cell = tuple[int, int]
"""Column and row of the screen, counted from 0."""

COLUMNS, ROWS = 110, 24
CLIPBOARD = re.compile(rb"\x1b\]52;c;([^\x07\x1b]+)[\x07\x1b]")


@asynccontextmanager
async def room_with_messages(tmp_path: Path) -> AsyncGenerator[PtyTerminal]:
    """Run the client in a room with `message one` to `message four`, below empty rows."""
    async with running_server(tmp_path) as server, ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        for text in ("message one", "message two", "message three", "message four"):
            await room.send(text)
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        async with terminal(command, tmp_path / "home", columns=COLUMNS, rows=ROWS) as tty:
            await tty.wait_for_text("message four")
            await tty.wait_for_text("2 here")
            yield tty


def find(tty: PtyTerminal, text: str) -> Cell:
    """Return the cell of the first character of a text."""
    rows = tty.screen_text().splitlines()
    row = next(index for index, line in enumerate(rows) if text in line)
    return rows[row].index(text), row


async def copy_drag(tty: PtyTerminal, start: Cell, end: Cell) -> str | None:
    """Drag from one cell to another and return the text that Ctrl+C copies; None if Ctrl+C clears the composer."""
    draft = f"draft {len(tty.written)}"
    tty.write_keys(f"\x15{draft}")  # Ctrl+U clears the line
    await tty.wait_for_text(draft)
    position = len(tty.written)
    for button, cell, final in ((0, start, "M"), (32, end, "M"), (0, end, "m")):
        tty.write_keys(f"\x1b[<{button};{cell[0] + 1};{cell[1] + 1}{final}")
    tty.write_keys("\x03")
    await wait_until(lambda: CLIPBOARD.search(tty.written, position) or draft not in tty.screen_text())
    copied = CLIPBOARD.search(tty.written, position)
    return base64.b64decode(copied[1]).decode() if copied else None


async def test_only_messages_can_be_selected_and_a_drag_that_leaves_them_ends_at_the_nearest_text(
    tmp_path: Path,
) -> None:
    async with room_with_messages(tmp_path) as tty:
        await check_drags_that_leave_the_messages(tty)
        await check_drags_outside_the_messages(tty)


async def check_drags_that_leave_the_messages(tty: PtyTerminal) -> None:
    start, three, member_list = find(tty, "message two"), find(tty, "message three"), find(tty, "2 here")[0]
    for right_of_messages in range(member_list - 3, member_list + 3):
        assert await copy_drag(tty, start, (right_of_messages, start[1])) == "message two"
    copied = await copy_drag(tty, start, (member_list, three[1]))
    assert copied is not None
    assert re.fullmatch(r"\[\d\d:\d\d\] bob: message two\n\[\d\d:\d\d\] bob: message three", copied)
    copied = await copy_drag(tty, start, (10, ROWS - 1))  # the key bar
    assert copied is not None
    assert copied.splitlines()[-1].endswith("message four")
    copied = await copy_drag(tty, (start[0] + 6, start[1]), (60, 0))  # the header
    assert copied is not None
    assert copied.endswith("bob: message one\nmessage")


async def check_drags_outside_the_messages(tty: PtyTerminal) -> None:
    empty_row, status_row = (30, 4), (30, ROWS - 3)
    for start, end in (
        ((1, 0), (40, 0)),
        ((1, 0), find(tty, "message four")),
        (empty_row, (50, 5)),
        (find(tty, "2 here"), find(tty, "message two")),
        (status_row, find(tty, "message two")),
        ((10, ROWS - 1), find(tty, "message two")),
    ):
        assert await copy_drag(tty, start, end) is None, (start, end)
    assert await copy_drag(tty, empty_row, find(tty, "essage one")) == "me"
