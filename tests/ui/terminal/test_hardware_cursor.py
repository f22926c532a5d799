"""The terminal's own cursor stands at the caret: input methods open their window there."""

from pathlib import Path

from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until


async def at_caret(shown: PtyTerminal, before: str, cells: int) -> None:
    """Wait until the cursor stands right behind `before`, which takes that many cells, on its row."""
    await shown.wait_for_text(before)

    def stands() -> bool:
        row = next((y for y, text in enumerate(shown.screen_text().split("\n")) if before in text), -1)
        return (shown.screen.cursor.y, shown.screen.cursor.x) == (row, 1 + cells)

    try:
        await wait_until(stands)
    except TimeoutError:
        at = (shown.screen.cursor.y, shown.screen.cursor.x)
        raise AssertionError(f"the cursor stands at {at}:\n{shown.screen_text()}") from None


async def test_it_follows_the_caret_over_wide_characters_and_lines(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "小明")
        async with terminal(command, tmp_path / "home") as shown:
            await shown.wait_for_text("1 here")
            shown.write_keys("abc")
            await at_caret(shown, "abc", 3)
            shown.write_keys("\x15你好ab")
            await at_caret(shown, "ab", 6)
            shown.write_keys("\x1b[D\x1b[D\x1b[D")
            await at_caret(shown, "ab", 2)
            shown.write_keys("\x05\x0ae\u0301 茶")
            await at_caret(shown, "茶", 4)
            shown.write_keys("\r")
            await shown.wait_for_text("Message")
            await at_caret(shown, "Message", 0)
            await shown.wait_for_text("✓ 你好ab")
            shown.resize(80, 12)
            await at_caret(shown, "Message", 0)
            shown.write_keys("水")
            await at_caret(shown, "水", 2)
