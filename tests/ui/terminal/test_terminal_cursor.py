"""Position of the terminal cursor, which input methods use for their window."""

from pathlib import Path

from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until


async def wait_for_cursor(tty: PtyTerminal, text: str, cells: int) -> None:
    """Wait until the cursor is on the row with `text`, `cells` cells after the start of the input at column 1."""
    await tty.wait_for_text(text)

    def is_at_position() -> bool:
        row = next((y for y, row_text in enumerate(tty.screen_text().split("\n")) if text in row_text), -1)
        return (tty.screen.cursor.y, tty.screen.cursor.x) == (row, 1 + cells)

    try:
        await wait_until(is_at_position)
    except TimeoutError:
        position = (tty.screen.cursor.y, tty.screen.cursor.x)
        raise AssertionError(f"the cursor is at {position}:\n{tty.screen_text()}") from None


async def test_the_terminal_cursor_follows_the_composer_cursor_over_wide_characters_and_lines(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "小明")
        async with terminal(command, tmp_path / "home") as tty:
            await tty.wait_for_text("1 here")
            tty.write_keys("abc")
            await wait_for_cursor(tty, "abc", 3)
            tty.write_keys("\x15你好ab")
            await wait_for_cursor(tty, "ab", 6)
            tty.write_keys("\x1b[D\x1b[D\x1b[D")
            await wait_for_cursor(tty, "ab", 2)
            tty.write_keys("\x05\x0ae\u0301 茶")
            await wait_for_cursor(tty, "茶", 4)
            tty.write_keys("\r")
            await tty.wait_for_text("Message")
            await wait_for_cursor(tty, "Message", 0)
            await tty.wait_for_text("✓ 你好ab")
            tty.resize(80, 12)
            await wait_for_cursor(tty, "Message", 0)
            tty.write_keys("水")
            await wait_for_cursor(tty, "水", 2)
