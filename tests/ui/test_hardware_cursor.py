"""The terminal's own cursor stands at the caret: input methods open their window there."""

from pathlib import Path

from tests.support.eventually import eventually
from tests.support.serving import serving
from tests.support.terminal import CHAT_TUI, Terminal, terminal


async def at_caret(shown: Terminal, before: str, cells: int) -> None:
    """Wait until the cursor stands right behind `before`, which takes that many cells, on its row."""
    await shown.wait_for(before)

    def stands() -> bool:
        row = next((y for y, text in enumerate(shown.text().split("\n")) if before in text), -1)
        return (shown.screen.cursor.y, shown.screen.cursor.x) == (row, 1 + cells)

    try:
        await eventually(stands)
    except TimeoutError:
        at = (shown.screen.cursor.y, shown.screen.cursor.x)
        raise AssertionError(f"the cursor stands at {at}:\n{shown.text()}") from None


async def test_it_follows_the_caret_over_wide_characters_and_lines(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "小明")
        async with terminal(command, tmp_path / "home") as shown:
            await shown.wait_for("1 here")
            shown.type("abc")
            await at_caret(shown, "abc", 3)
            shown.type("\x15你好ab")
            await at_caret(shown, "ab", 6)
            shown.type("\x1b[D\x1b[D\x1b[D")
            await at_caret(shown, "ab", 2)
            shown.type("\x05\x0ae\u0301 茶")
            await at_caret(shown, "茶", 4)
            shown.type("\r")
            await shown.wait_for("Message")
            await at_caret(shown, "Message", 0)
            await shown.wait_for("✓ 你好ab")
            shown.resize(80, 12)
            await at_caret(shown, "Message", 0)
            shown.type("水")
            await at_caret(shown, "水", 2)
