"""Footer entries by context and terminal width; colors of status messages."""

from pathlib import Path

from server.app import RunningServer
from tests.support.chat_app import chat_app, chat_app_in_room
from tui_chat.ui.widgets.key_bar import KeyBar


async def test_the_help_key_is_first_the_exit_key_last_and_entries_that_do_not_fit_are_omitted(
    server: RunningServer, tmp_path: Path
) -> None:
    widths = (120, 80, 48, 40, 20)  # each narrower than the previous one, so that the width shows a complete resize
    async with chat_app(tmp_path / "form", size=(200, 24)) as driver:
        key_bar = driver.join_screen.query_one(KeyBar)
        for width in widths:
            await driver.pilot.resize_terminal(width + 2, 24)
            await driver.wait_until(lambda width=width: key_bar.size.width <= width + 2)
            row = driver.first_row_of(key_bar)
            assert row.startswith("F1 help")
            assert row.endswith("Ctrl+Q quit")
    async with chat_app_in_room(tmp_path, server.url, "ann", size=(200, 24)) as ann:
        key_bar = ann.chat_screen.view.key_bar
        all_entries = set(ann.first_row_of(key_bar).split("  "))
        for width in sorted({*range(12, 120, 7), *(width + 2 for width in widths)}, reverse=True):
            await ann.pilot.resize_terminal(width, 24)
            await ann.wait_until(lambda width=width: key_bar.size.width <= width)
            row = ann.first_row_of(key_bar)
            assert set(filter(None, row.split("  "))) <= all_entries
            if width - 2 in widths:
                assert row.startswith("F1 help")
                assert row.endswith("Ctrl+Q quit")


async def test_the_footer_shows_the_keys_of_a_selected_message_and_of_the_history_search(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("hello")
        await ann.wait_for_text("hello")
        await ann.press("ctrl+s")
        row = ann.first_row_of(ann.chat_screen.view.key_bar)
        assert row.startswith("F1 help")
        assert "r reply" in row
        assert row.endswith("Esc back")
        await ann.press("escape")
        await ann.wait_until(lambda: "Enter send" in ann.first_row_of(ann.chat_screen.view.key_bar))

        await ann.press("ctrl+r")
        await ann.wait_until(lambda: "Ctrl+R older" in ann.first_row_of(ann.chat_screen.view.key_bar))
        await ann.press("escape")
        await ann.wait_until(lambda: "Enter send" in ann.first_row_of(ann.chat_screen.view.key_bar))


async def test_a_click_on_an_entry_performs_its_action(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:

        async def click(label: str) -> None:
            column = ann.first_row_of(ann.chat_screen.view.key_bar).index(label) + 1
            await ann.pilot.click(KeyBar, offset=(column, 0))

        await ann.type_text("hello")
        await click("send")
        await ann.wait_for_text("✓ hello")
        await ann.press("ctrl+s")
        assert ann.timeline.cursor_key is not None
        await click("reply")
        await ann.wait_for_text("replying to ann: hello")
        assert ann.timeline.cursor_key is None


async def test_errors_and_status_texts_differ_in_color(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("hello")
        await ann.wait_for_text("hello")

        def color() -> object:
            """Return the color of the first text of the status line."""
            strip = ann.chat_screen.view.status.render_line(0)
            return next(segment.style.color for segment in strip if segment.text.strip() and segment.style)

        await ann.send_message("/nosuch")
        await ann.wait_until(lambda: "nosuch" in ann.first_row_of(ann.chat_screen.view.status))
        error_color = color()
        ann.composer.set_text("")
        await ann.press("ctrl+s", "y")
        await ann.wait_until(lambda: ann.first_row_of(ann.chat_screen.view.status) == "Copied.")
        assert color() != error_color
        await ann.type_text("typing")
        await ann.wait_until(lambda: ann.first_row_of(ann.chat_screen.view.status) == "")
