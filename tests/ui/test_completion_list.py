"""Display of the tab completion candidates."""

from pathlib import Path

from server.app import RunningServer
from tests.support.chat_app import chat_app_in_room
from tui_chat.session.commands.completion import Candidate, Completion
from tui_chat.ui.widgets.status import StatusLine


async def test_candidates_are_listed_until_other_input(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("/no")
        await ann.press("tab")
        assert ann.composer.text == "/notify "
        assert "/notify" not in ann.first_row_of(ann.chat_screen.query_one(StatusLine))
        ann.composer.set_text("")
        await ann.type_text("/t")
        await ann.press("tab")
        await ann.wait_for_text(" /transfer  /topic  /theme")
        await ann.press("tab")
        assert ann.composer.text == "/topic "
        await ann.press("shift+tab")
        assert ann.composer.text == "/transfer "
        await ann.type_text("x")
        await ann.wait_until(lambda: "/theme" not in ann.screen_text())


async def test_tab_completes_an_emoji_shortcode_and_shows_a_hint_without_candidates(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("tab")
        await ann.wait_for_text("Type the start of a name, then press Tab.")
        await ann.type_text("hello zoe")
        assert "Type the start" not in ann.screen_text()
        await ann.press("tab")
        await ann.wait_for_text("No completion for zoe.")
        assert ann.composer.text == "hello zoe"
        ann.composer.set_text("")
        await ann.type_text("well :smile:")
        await ann.press("tab")
        assert ann.composer.text == "well 😄 "


async def test_the_selected_candidate_is_always_visible(server: RunningServer, tmp_path: Path) -> None:
    names = [f"name-{number}[bold]" for number in range(30)]
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        status = ann.chat_screen.query_one(StatusLine)
        for index in (0, 5, 29, 30):  # 30: the typed text after the last candidate
            status.show_candidates(Completion(0, "n", tuple(Candidate(f"{name} ", name) for name in names), index))
            await ann.pilot.pause()
            row = ann.first_row_of(status)
            assert names[min(index, 29)] in row
            assert ("‹" in row) is (index > 2)
            assert ("›" in row) is (index < 25)
