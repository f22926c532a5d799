"""Text typed while a message is highlighted or selected, in a real terminal."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.room import Room
from tui_chat.session.i18n import tr

SELECT = "\x13"  # Ctrl+S


def composer_row(tty: PtyTerminal) -> str:
    """Return the row of the cursor, which stays in the composer."""
    return tty.screen.display[tty.screen.cursor.y].strip()


@asynccontextmanager
async def shared_room(directory: Path) -> AsyncGenerator[tuple[Room, PtyTerminal]]:
    """Provide a room, as seen by the member `bob`, and the terminal of `ann`, who has sent one message."""
    async with running_server(directory) as server, ChatClient(server.url) as client:
        room = await client.join("tea", nick="bob")
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        async with terminal(command, directory / "ann") as tty:
            await tty.wait_for_text("2 here")
            tty.write_keys("a secret\r")
            await tty.wait_for_text("✓ a secret")
            await wait_until(lambda: room.log.last == 1)
            yield room, tty


def is_untouched(room: Room) -> bool:
    """Return whether the room contains only the first message, without a change or a reaction."""
    message = room.log[1]
    return len(list(room.log.messages())) == 1 and message.message == "a secret" and not message.reactions


async def test_typed_text_never_acts_on_messages_and_a_deletion_asks_for_confirmation(tmp_path: Path) -> None:
    async with shared_room(tmp_path) as (room, tty):
        await check_typed_text(room, tty)
        await check_deletion(room, tty)


async def check_typed_text(room: Room, tty: PtyTerminal) -> None:
    """Type texts that begin with keys of message actions; check that the composer receives them."""
    cases = {
        f"{SELECT}hidden": "hidden",
        f"{SELECT}hello everybody": "hello everybody",
        f"{SELECT}Delete it": "Delete it",
        f"{SELECT} y": "y",
        f"{SELECT}中文 day": "中文 day",
        f"{SELECT}do we agree?": "o we agree?",  # the bound `d` asks first
        f"{SELECT}dd y": "d y",
        f"{SELECT}dyed": "yed",
        f"{SELECT}\x1b[200~dyed\x1b[201~": "dyed",
        "/date 2031-01-01\rhidden": "hidden",
        "/date yesterday\rdy ready": "dy ready",
    }
    for keys, expected in cases.items():
        tty.write_keys(keys)
        try:
            await wait_until(lambda expected=expected: composer_row(tty).endswith(expected))
        except TimeoutError:
            pytest.fail(f"{keys!r}: composer has {composer_row(tty)!r}")
        tty.write_keys("\x15")
        await wait_until(lambda: composer_row(tty).endswith(tr("Message")))
        assert is_untouched(room), keys


async def check_deletion(room: Room, tty: PtyTerminal) -> None:
    """Cancel a deletion, undo the next one, and quit during the last one, which is then sent."""
    tty.write_keys(f"{SELECT}d")
    await tty.wait_for_text(tr("Delete this message for everyone?"))
    tty.write_keys("\r")
    await wait_until(lambda: tr("Delete this message for everyone?") not in tty.screen_text())
    tty.write_keys("\x1b")
    await wait_until(lambda: composer_row(tty).endswith(tr("Message")))
    tty.write_keys("/delete\r")
    await tty.wait_for_text(tr("Delete this message for everyone?"))
    tty.write_keys("y")
    await tty.wait_for_text("deleting · /undo")
    tty.write_keys("/undo\r")
    await tty.wait_for_text("a secret")
    tty.write_keys(f"{SELECT}d")
    await tty.wait_for_text(tr("Delete this message for everyone?"))
    tty.write_keys("y")
    await tty.wait_for_text("deleting · /undo")
    assert is_untouched(room)
    tty.write_keys("\x11")
    assert await tty.wait_closed() == 0
    await wait_until(lambda: room.log[1].deleted)
