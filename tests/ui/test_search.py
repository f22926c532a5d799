"""Message search and date navigation in the terminal."""

import asyncio
from pathlib import Path
from typing import cast

import pytest
from textual.signal import Signal
from textual.widgets import OptionList

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tests.support.tcp_proxy import tcp_proxy
from tui_chat.client.client import ChatClient
from tui_chat.client.events import Online
from tui_chat.session.i18n import tr
from tui_chat.session.lines import GapLine, MessageLine
from tui_chat.session.strings import app as app_strings, search as search_strings
from tui_chat.ui.screens import search
from tui_chat.ui.screens.search import SearchScreen


async def send_as_bob(url: str, room: str, *texts: str) -> None:
    """Send all texts as Bob, in batches of 100."""
    async with ChatClient(url) as bob:
        room_handle = await bob.join(room, nick="bob")
        for start in range(0, len(texts), 100):
            await asyncio.gather(*(room_handle.send(text) for text in texts[start : start + 100]))


async def wait_for_search(driver: ChatAppDriver) -> SearchScreen:
    """Wait until the search dialog has the focus, and return the dialog."""
    await driver.wait_until(
        lambda: isinstance(driver.app.screen, SearchScreen) and driver.app.screen.focused is not None
    )
    assert isinstance(driver.app.screen, SearchScreen)
    return driver.app.screen


def selected_text(driver: ChatAppDriver) -> str:
    """Return the text of the selected message, empty without a selection."""
    lines = (line for line in driver.timeline.lines if line.key == driver.timeline.highlighted_key)
    line = next(lines, None)
    return line.text if isinstance(line, MessageLine) else ""


def haystack(count: int = 400) -> list[str]:
    """Return texts with their numbers from 1 on; only text 100 contains the word `needle`."""
    return ["a needle of long ago" if number == 100 else f"hay {number}" for number in range(1, count + 1)]


def visible_numbers(driver: ChatAppDriver) -> list[int]:
    """Return the numbers of the texts of `haystack` on the screen, without the one of the needle."""
    return [int(word) for row in driver.screen_text().split("hay ")[1:] if (word := row.split()[0]).isdigit()]


def is_contiguous(numbers: list[int], minimum: int) -> bool:
    """Return whether numbers are consecutive and at least `minimum`."""
    return bool(numbers) and numbers[0] >= minimum and numbers == list(range(numbers[0], numbers[-1] + 1))


async def test_a_hit_is_shown_in_its_context_and_escape_returns_unless_other_navigation_intervenes(
    server: RunningServer, tmp_path: Path
) -> None:
    await send_as_bob(server.url, "tea", *haystack())
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.wait_for_text("hay 400")
        await ann.send_message("/search needle")
        await wait_for_search(ann)
        await ann.wait_for_text("a needle of long ago")
        await ann.wait_for_text(search_strings.result_count(1, has_more=False))
        await ann.press("enter")
        await ann.wait_until(lambda: selected_text(ann) == "a needle of long ago")
        assert ann.app.screen is ann.chat_screen
        await ann.wait_for_text("hay 99")
        await ann.wait_for_text("hay 101")
        assert any(isinstance(line, GapLine) for line in ann.timeline.lines)
        assert not ann.timeline.is_at_bottom
        await ann.press("escape")
        await ann.wait_until(lambda: ann.timeline.is_at_bottom)
        await ann.wait_for_text("hay 400")
        assert ann.app.focused is ann.composer
        await ann.press("pageup")
        await ann.send_message("/search needle")
        await wait_for_search(ann)
        await ann.wait_for_text("a needle of long ago")
        await ann.press("enter")
        await ann.wait_until(lambda: selected_text(ann) == "a needle of long ago")
        await ann.press("alt+end")
        assert ann.timeline.is_at_bottom
        await ann.press("escape", "escape")
        assert ann.timeline.is_at_bottom


async def test_scrolling_down_from_a_hit_loads_the_messages_between(server: RunningServer, tmp_path: Path) -> None:
    await send_as_bob(server.url, "tea", *haystack(900))
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/search needle")
        await wait_for_search(ann)
        await ann.wait_for_text("a needle of long ago")
        await ann.press("enter")
        await ann.wait_until(lambda: selected_text(ann) == "a needle of long ago")
        while visible_numbers(ann)[-1] < 300:
            first_number = visible_numbers(ann)[0]
            await ann.press("pagedown")
            await ann.wait_until(lambda first=first_number: is_contiguous(visible_numbers(ann), first + 1))


async def test_the_search_covers_all_rooms_and_its_key_limits_the_hits_to_the_current_room(
    server: RunningServer, tmp_path: Path
) -> None:
    await send_as_bob(server.url, "tea", "我们去喝茶", "coffee is fine")
    await send_as_bob(server.url, "books", "a book about 茶")
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("alt+s")
        screen = await wait_for_search(ann)
        await ann.type_text("茶")
        await ann.wait_for_text(search_strings.result_count(2, has_more=False))
        screen_text = ann.screen_text()
        assert screen_text.index("a book about") < screen_text.index("我们去喝")
        assert tr("not joined") in screen_text
        await ann.press("alt+s")
        await ann.wait_for_text(tr("in {room}", room="tea"))
        await ann.wait_for_text(search_strings.result_count(1, has_more=False))
        assert screen.query_one(OptionList).option_count == 1
        await ann.press("escape")
        assert ann.app.screen is ann.chat_screen


async def test_a_hit_in_a_closed_room_joins_the_room_after_a_confirmation(
    server: RunningServer, tmp_path: Path
) -> None:
    await send_as_bob(server.url, "books", *haystack(200))
    await send_as_bob(server.url, "tea", "a needle in the tea")
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.type_text("a draft")
        await ann.press("f5")
        await wait_for_search(ann)
        await ann.type_text("needle")
        await ann.wait_for_text("a needle of long ago")
        await ann.press("down", "enter")
        await ann.wait_for_text(tr("You are not in {room}. Press Enter again to join.", room="books"))
        await ann.press("up")
        await ann.wait_for_text(search_strings.result_count(2, has_more=False))
        await ann.press("down", "enter")
        await ann.wait_for_text(tr("You are not in {room}. Press Enter again to join.", room="books"))
        await ann.press("enter")
        await ann.wait_until(lambda: selected_text(ann) == "a needle of long ago")
        assert ann.chat_screen.session.current_room is ann.chat_screen.session.rooms["books"]
        await ann.press("escape")
        await ann.wait_until(lambda: ann.displayed_room is ann.chat_screen.session.rooms["tea"])
        assert ann.composer.text == "a draft"


async def test_a_click_opens_a_hit_and_markup_in_hits_is_plain_text(server: RunningServer, tmp_path: Path) -> None:
    await send_as_bob(server.url, "tea", "[bold]needle[/bold] [@click=app.quit]x[/]", *["hay"] * 30)
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/find needle")
        screen = await wait_for_search(ann)
        await ann.wait_for_text("[bold]needle[/bold] [@click=app.quit]x[/]")
        await ann.pilot.click(screen.query_one(OptionList), offset=(5, 1))
        await ann.wait_until(lambda: selected_text(ann).startswith("[bold]needle"))


async def test_more_hits_load_at_the_end_of_the_list(server: RunningServer, tmp_path: Path) -> None:
    await send_as_bob(server.url, "tea", *(f"needle {number}" for number in range(120)))
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/search needle")
        screen = await wait_for_search(ann)
        option_list = screen.query_one(OptionList)
        await ann.wait_until(lambda: option_list.option_count == 50)
        while option_list.option_count < 120:
            before = option_list.option_count
            await ann.press("pagedown")
            await ann.wait_until(
                lambda before=before: option_list.option_count > before or option_list.highlighted is not None
            )
        await ann.wait_for_text(search_strings.result_count(120, has_more=False))


async def test_an_offline_search_uses_the_local_history(server: RunningServer, tmp_path: Path) -> None:
    await send_as_bob(server.url, "tea", *haystack(150))
    async with tcp_proxy(server.port) as proxy, chat_app_in_room(tmp_path, proxy.url, "ann") as ann:
        await ann.wait_for_text("hay 150")
        await ann.press("alt+home")
        await ann.wait_until(lambda: len(ann.timeline.lines) >= 150)
        await ann.press("alt+end")
        proxy.refuse_connections()
        proxy.reset_all()
        await ann.wait_until(lambda: not isinstance(ann.chat_screen.session.connection_state, Online))
        await ann.send_message("/search needle")
        await wait_for_search(ann)
        await ann.wait_for_text(tr("offline: searched the local history only"))
        await ann.press("enter")
        await ann.wait_until(lambda: selected_text(ann) == "a needle of long ago")


async def test_invalid_queries_empty_results_and_unexpected_errors_are_reported(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.send_message("/search " + "x" * 260)
        await wait_for_search(ann)
        await ann.wait_for_text("250 characters")
        await ann.press("ctrl+u")
        await ann.wait_for_text(tr("Finds messages that contain all words."))
        await ann.type_text("nowhere to be found")
        await ann.wait_for_text(search_strings.result_count(0, has_more=False))
        await ann.press("enter", "down", "pagedown", "escape")
        assert ann.app.screen is ann.chat_screen
        monkeypatch.setattr(ann.chat_screen.server_link, "search", fail)
        await ann.send_message("/search needle")
        await wait_for_search(ann)
        await ann.wait_for_text(f"· {tr(app_strings.INTERNAL_ERROR)[:30]}")
        assert tr("searching…") not in ann.screen_text()


async def test_a_late_result_of_the_date_command_keeps_a_selection(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send_as_bob(server.url, "tea", *haystack(3))
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.wait_for_text("hay 3")
        screen = ann.chat_screen
        requests: list[str] = []

        def load_context(room: str, *, ts: int) -> None:
            requests.append(room)

        monkeypatch.setattr(screen.server_link, "load_context", load_context)
        await ann.send_message("/date today")
        await ann.press("ctrl+s")
        assert tr("Jumping to the message…") not in ann.screen_text()
        selected = ann.timeline.cursor_key
        assert (requests, selected is None) == (["tea"], False)
        screen.message_navigation.on_context_loaded("tea", 1)
        assert (ann.timeline.cursor_key, ann.app.focused) == (selected, ann.timeline)


async def test_the_date_command_jumps_to_a_day_and_reports_invalid_dates(server: RunningServer, tmp_path: Path) -> None:
    await send_as_bob(server.url, "tea", *haystack(200))
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.wait_for_text("hay 200")
        await ann.send_message("/date someday")
        assert search_strings.invalid_date("someday") in ann.screen_text()
        await ann.press("ctrl+u")
        await ann.send_message("/date today")
        await ann.wait_until(lambda: selected_text(ann) == "hay 1")
        await ann.press("escape")
        await ann.wait_until(lambda: ann.timeline.is_at_bottom)
        await ann.send_message("/date 2001-02-03")
        await ann.wait_for_text(search_strings.no_messages_on("2001-02-03", has_later=True))
        await ann.wait_until(lambda: selected_text(ann) == "hay 1")
        await ann.press("escape")
        await ann.send_message("/date 9999-01-01")
        await ann.wait_for_text(search_strings.no_messages_on("9999-01-01", has_later=False))
        await ann.wait_until(lambda: selected_text(ann) == "hay 200")


@pytest.mark.parametrize("theme", ["dark", "terminal"])
async def test_the_selected_hit_has_a_different_background(server: RunningServer, tmp_path: Path, theme: str) -> None:
    await send_as_bob(server.url, "tea", "needle one", "needle two")
    async with chat_app_in_room(tmp_path, server.url, "ann", settings={"theme": theme}) as ann:
        await ann.send_message("/search needle")
        await wait_for_search(ann)
        await ann.wait_for_text("needle one")
        await ann.press("down")
        rows = ann.screen_text().split("\n")
        strips = ann.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        backgrounds = {
            text: {
                segment.style and segment.style.bgcolor
                for segment in strips[y]
                if text in segment.text or "needle" in segment.text
            }
            for text in ("one", "two")
            for y, row in enumerate(rows)
            if f"needle {text}" in row
        }
        assert backgrounds["one"] != backgrounds["two"]


async def test_typing_a_query_sends_nothing_and_does_not_refresh_the_screen_layout(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann:
        await ann.press("alt+s")
        await ann.type_text("secret words")
        await ann.press("enter")
        await wait_for_search(ann)
        await ann.press("escape")
        assert not any(isinstance(line, MessageLine) for line in ann.chat_screen.session.rooms["tea"].transcript.lines)
        monkeypatch.setattr(search, "SEARCH_DELAY", 60.0)
        await ann.press("alt+s")
        screen = await wait_for_search(ann)
        await ann.type_text("w")
        layout_refreshes: list[object] = []
        signal = cast("Signal[object]", screen.screen_layout_refresh_signal)  # pyright: ignore[reportUnknownMemberType]
        signal.subscribe(screen, layout_refreshes.append, immediate=True)
        await ann.type_text("ords in a row")
        await ann.wait_for_text("words in a row")
        assert layout_refreshes == []
