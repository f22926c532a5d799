"""Finding what was said, in the terminal: the list, the place, the way back, the day."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import pytest
from textual.signal import Signal
from textual.widgets import OptionList

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.in_process_server import running_server
from tests.support.tcp_proxy import tcp_proxy
from tui_chat.client.client import ChatClient
from tui_chat.client.events import Online
from tui_chat.session.i18n import tr
from tui_chat.session.lines import GapLine, MessageLine
from tui_chat.session.strings import search as search_strings
from tui_chat.ui.screens import search
from tui_chat.ui.screens.search import SearchScreen


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


async def said(url: str, room: str, *texts: str) -> None:
    """Bob says these, in this order."""
    async with ChatClient(url) as bob:
        joined = await bob.join(room, nick="bob")
        for start in range(0, len(texts), 100):
            await asyncio.gather(*(joined.send(text) for text in texts[start : start + 100]))


async def searching(person: ChatAppDriver) -> SearchScreen:
    await person.wait_until(
        lambda: isinstance(person.app.screen, SearchScreen) and person.app.screen.focused is not None
    )
    assert isinstance(person.app.screen, SearchScreen)
    return person.app.screen


def picked(person: ChatAppDriver) -> str:
    """The text of the picked message."""
    lines = (line for line in person.timeline.lines if line.key == person.timeline.cursor_key)
    line = next(lines, None)
    return line.text if isinstance(line, MessageLine) else ""


def long_ago(count: int = 400) -> list[str]:
    return ["a needle of long ago" if number == 100 else f"hay {number}" for number in range(1, count + 1)]


async def test_what_is_found_is_shown_in_its_place_and_escape_comes_back(server: RunningServer, tmp_path: Path) -> None:
    await said(server.url, "tea", *long_ago())
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.wait_for_text("hay 400")
        await ann.send_message("/search needle")
        await searching(ann)
        await ann.wait_for_text("a needle of long ago")
        await ann.wait_for_text(search_strings.result_count(1, has_more=False))
        await ann.press("enter")
        await ann.wait_until(lambda: picked(ann) == "a needle of long ago")
        assert ann.app.screen is ann.chat_screen
        assert "hay 99" in ann.screen_text()
        assert "hay 101" in ann.screen_text()
        assert any(isinstance(line, GapLine) for line in ann.timeline.lines)
        assert not ann.timeline.is_at_bottom
        await ann.press("escape")
        await ann.wait_until(lambda: ann.timeline.is_at_bottom)
        assert "hay 400" in ann.screen_text()
        assert ann.app.focused is ann.composer


async def test_what_is_between_is_loaded_on_the_way_down(server: RunningServer, tmp_path: Path) -> None:
    await said(server.url, "tea", *long_ago(900))
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/search needle")
        await searching(ann)
        await ann.wait_for_text("a needle of long ago")
        await ann.press("enter")
        await ann.wait_until(lambda: picked(ann) == "a needle of long ago")
        seen = 100
        while seen < 300:
            await ann.press("pagedown")
            await ann.wait_until(lambda: ann.timeline.lines and "hay" in ann.screen_text())
            shown = [int(word) for row in ann.screen_text().split("hay ")[1:] if (word := row.split()[0]).isdigit()]
            assert shown == list(range(shown[0], shown[-1] + 1))
            seen = max(seen, *shown)


async def test_the_newest_is_found_first_in_all_rooms_and_chinese_by_one_character(
    server: RunningServer, tmp_path: Path
) -> None:
    await said(server.url, "tea", "我们去喝茶", "coffee is fine")
    await said(server.url, "books", "a book about 茶")
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("alt+s")
        screen = await searching(ann)
        await ann.type_text("茶")
        await ann.wait_for_text(search_strings.result_count(2, has_more=False))
        shown = ann.screen_text()
        assert shown.index("a book about") < shown.index("我们去喝")
        assert tr(search_strings.ROOM_NOT_OPEN) in shown
        await ann.press("alt+s")
        await ann.wait_for_text(search_strings.search_scope("tea"))
        await ann.wait_for_text(search_strings.result_count(1, has_more=False))
        assert screen.query_one(OptionList).option_count == 1
        await ann.press("escape")
        assert ann.app.screen is ann.chat_screen


async def test_a_room_that_is_not_open_is_joined_when_that_is_confirmed(server: RunningServer, tmp_path: Path) -> None:
    await said(server.url, "books", *long_ago(200))
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("a draft")
        await ann.press("f5")
        await searching(ann)
        await ann.type_text("needle")
        await ann.wait_for_text("a needle of long ago")
        await ann.press("enter")
        await ann.wait_for_text(search_strings.confirm_join("books"))
        await ann.press("enter")
        await ann.wait_until(lambda: picked(ann) == "a needle of long ago")
        assert ann.chat_screen.session.current_room is ann.chat_screen.session.rooms["books"]
        await ann.press("escape")
        await ann.wait_until(lambda: ann.chat_screen.displayed_room is ann.chat_screen.session.rooms["tea"])
        assert ann.composer.text == "a draft"


async def test_a_click_leads_there_and_markup_in_what_was_said_is_text(server: RunningServer, tmp_path: Path) -> None:
    await said(server.url, "tea", "[bold]needle[/bold] [@click=app.quit]x[/]", *["hay"] * 30)
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/find needle")
        screen = await searching(ann)
        await ann.wait_for_text("[bold]needle[/bold] [@click=app.quit]x[/]")
        await ann.pilot.click(screen.query_one(OptionList), offset=(5, 1))
        await ann.wait_until(lambda: picked(ann).startswith("[bold]needle"))


async def test_more_comes_at_the_end_of_the_list(server: RunningServer, tmp_path: Path) -> None:
    await said(server.url, "tea", *(f"needle {number}" for number in range(120)))
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/search needle")
        screen = await searching(ann)
        shown = screen.query_one(OptionList)
        await ann.wait_until(lambda: shown.option_count == 50)
        while shown.option_count < 120:
            before = shown.option_count
            await ann.press("pagedown")
            await ann.wait_until(lambda before=before: shown.option_count > before or shown.highlighted is not None)
        await ann.wait_for_text(search_strings.result_count(120, has_more=False))


async def test_offline_what_is_here_is_searched_and_shown(server: RunningServer, tmp_path: Path) -> None:
    await said(server.url, "tea", *long_ago(150))
    async with tcp_proxy(server.port) as proxy, chat_app_in_room(tmp_path, proxy.url, "ann") as ann:
        await ann.wait_for_text("hay 150")
        await ann.press("alt+home")
        await ann.wait_until(lambda: len(ann.timeline.lines) >= 150)
        await ann.press("alt+end")
        proxy.refuse_connections()
        proxy.reset_all()
        await ann.wait_until(lambda: not isinstance(ann.chat_screen.session.connection_state, Online))
        await ann.send_message("/search needle")
        await searching(ann)
        await ann.wait_for_text(tr(search_strings.SEARCHED_LOCALLY))
        await ann.press("enter")
        await ann.wait_until(lambda: picked(ann) == "a needle of long ago")


async def test_what_cannot_be_searched_for_is_said(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/search " + "x" * 260)
        await searching(ann)
        await ann.wait_for_text("250 characters")
        await ann.press("ctrl+u")
        await ann.wait_for_text(tr(search_strings.SEARCH_HELP))
        await ann.type_text("nowhere to be found")
        await ann.wait_for_text(search_strings.result_count(0, has_more=False))
        await ann.press("enter", "down", "pagedown", "escape")
        assert ann.app.screen is ann.chat_screen


async def test_a_day_is_gone_to_and_what_is_no_day_is_said(server: RunningServer, tmp_path: Path) -> None:
    await said(server.url, "tea", *long_ago(200))
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.wait_for_text("hay 200")
        await ann.send_message("/date someday")
        assert search_strings.invalid_date("someday") in ann.screen_text()
        await ann.press("ctrl+u")
        await ann.send_message("/date today")
        await ann.wait_until(lambda: picked(ann) == "hay 1")
        await ann.press("escape")
        await ann.wait_until(lambda: ann.timeline.is_at_bottom)
        await ann.send_message("/date 2001-02-03")
        await ann.wait_for_text(search_strings.no_messages_on("2001-02-03", is_later=True))
        assert picked(ann) == "hay 1"
        await ann.press("escape")
        await ann.send_message("/date 9999-01-01")
        await ann.wait_for_text(search_strings.no_messages_on("9999-01-01", is_later=False))
        assert picked(ann) == "hay 200"


async def test_going_elsewhere_forgets_the_way_back(server: RunningServer, tmp_path: Path) -> None:
    await said(server.url, "tea", *long_ago(300))
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.wait_for_text("hay 300")
        await ann.press("pageup")
        await ann.send_message("/search needle")
        await searching(ann)
        await ann.wait_for_text("a needle of long ago")
        await ann.press("enter")
        await ann.wait_until(lambda: picked(ann) == "a needle of long ago")
        await ann.press("alt+end")
        assert ann.timeline.is_at_bottom
        await ann.press("escape", "escape")
        assert ann.timeline.is_at_bottom


async def test_what_is_typed_behind_the_key_is_never_sent(server: RunningServer, tmp_path: Path) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("alt+s")
        await ann.type_text("secret words")
        await ann.press("enter")
        await searching(ann)
        await ann.press("escape")
        assert not any(isinstance(line, MessageLine) for line in ann.chat_screen.session.rooms["tea"].transcript.lines)


@pytest.mark.parametrize("theme", ["dark", "terminal"])
async def test_the_chosen_hit_is_told_by_more_than_letters(server: RunningServer, tmp_path: Path, theme: str) -> None:
    await said(server.url, "tea", "needle one", "needle two")
    async with chat_app_in_room(tmp_path, server.url, "ann", settings={"theme": theme}) as ann:
        await ann.send_message("/search needle")
        await searching(ann)
        await ann.wait_for_text("needle one")
        await ann.press("down")
        rows = ann.screen_text().split("\n")
        strips = ann.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        grounds = {
            text: {
                segment.style and segment.style.bgcolor
                for segment in strips[at]
                if text in segment.text or "needle" in segment.text
            }
            for text in ("one", "two")
            for at, row in enumerate(rows)
            if f"needle {text}" in row
        }
        assert grounds["one"] != grounds["two"]


async def test_a_letter_does_not_lay_the_screen_out_anew(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SEARCH_DELAY", 60.0)
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("alt+s")
        screen = await searching(ann)
        await ann.type_text("w")
        laid_out: list[object] = []
        signal = cast("Signal[object]", screen.screen_layout_refresh_signal)  # pyright: ignore[reportUnknownMemberType]
        signal.subscribe(screen, laid_out.append, immediate=True)
        await ann.type_text("ords in a row")
        await ann.wait_for_text("words in a row")
        assert laid_out == []
