"""Images of the page in terminals."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import FilePayload, expect

from server.app import RunningServer
from tests.support.browser import Browser
from tests.support.chat_page import open_chat_page
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.terminal_images import (
    KITTY_ANSWERS,
    NO_GRAPHICS_ANSWER,
    SIXEL_ANSWERS,
    KittyImages,
    chat_terminal,
    decode_sixel,
    find_sixels,
    is_close,
)
from tests.support.uploads import encode_image
from tests.support.wait import wait_until

BLUE = (0, 0, 255)


@pytest.mark.needs_chromium
async def test_an_image_of_the_page_appears_as_kitty_graphics_sixel_half_blocks_and_a_spoken_line(
    browser: Browser, server: RunningServer, tmp_path: Path
) -> None:
    page = await open_chat_page(browser, server.url, "Page")
    image = encode_image(Image.new("RGB", (100, 40), BLUE))
    async with AsyncExitStack() as stack:
        kitty, sixel, plain = [
            await stack.enter_async_context(chat_terminal(server, tmp_path / nick, answers, nick=nick))
            for nick, answers in (("kitty", KITTY_ANSWERS), ("sixel", SIXEL_ANSWERS), ("plain", NO_GRAPHICS_ANSWER))
        ]
        command = (*CHAT_TUI, "--screen-reader", "--room", "tea", "--nick", "speech", server.url)
        speech = await stack.enter_async_context(terminal(command, tmp_path / "speech"))
        await expect(page.page.locator("#member-list .member")).to_have_count(5)
        file: FilePayload = {"name": "lake.png", "mimeType": "image/png", "buffer": image}
        await page.page.locator("#file-picker").set_input_files(file)
        await expect(page.page.locator("#upload-status")).to_have_text("1 of 1 files uploaded")
        await page.send_message("the lake")
        await wait_until(lambda: KittyImages.parse(bytes(kitty.written)).images)
        (shown,) = KittyImages.parse(bytes(kitty.written)).images.values()
        assert is_close(shown.rgb[3000:3003], BLUE)
        await wait_until(lambda: len(find_sixels(sixel.written)) >= 2)
        for row in find_sixels(sixel.written)[:2]:
            assert decode_sixel(row) == {(x, y): (0, 0, 100) for x in range(100) for y in range(20)}
        await wait_until(lambda: sum("▀" in row for row in plain.screen_text().splitlines()) == 2)
        rows = plain.screen_text().splitlines()
        y = next(number for number, row in enumerate(rows) if "▀" in row)
        assert is_close(bytes.fromhex(plain.screen.buffer[y][rows[y].index("▀")].fg), BLUE)
        await speech.wait_for_text("Page says: the lake")
        await speech.wait_for_text("With the image lake.png, 100 by 40 pixels")
        for tui in (kitty, sixel, plain):
            tui.write_keys("\x11")
        speech.write_keys("/quit\r")
        for tui in (kitty, sixel, plain, speech):
            assert await tui.wait_closed() == 0
    page.assert_no_errors()
