"""Messages with files in the page: display, download, copy, quote and deletion."""

import re

import pytest
from PIL import Image
from playwright.async_api import Page, WebSocketRoute, expect

from server.app import RunningServer
from tests.support.browser import Browser
from tests.support.chat_page import ChatPage
from tests.support.raw_client import RawClient
from tests.support.uploads import encode_image, upload_client

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

NETWORK_NO_SOURCE = 3  # `HTMLMediaElement.networkState` of a failed video
SHIFTED_CLOCK = "const { now } = Date; Date.now = () => now() + (globalThis.clockShift ?? 0);"
PLAY_AFTER_EXPIRY = """(player) => {
  globalThis.clockShift = 3_700_000;  // ms; longer than the lifetime of an address
  player.loads = 0;
  player.addEventListener("loadstart", () => (player.loads += 1));
  player.load();
  player.play().catch(() => {});
}"""


async def add_poster(page: Page, name: str, path: str) -> None:
    """Add the address of a title image to the file with this name in all received messages."""

    def forward(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        field = f'"name":"{name}"'
        server.on_message(lambda message: route.send(str(message).replace(field, f'{field},"poster":"{path}"')))

    await page.route_web_socket("**/socket.io/**", forward)


async def test_files_are_shown_opened_downloaded_copied_quoted_and_deleted_and_keys_open_quotes_and_links(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    guest_key = (await bot.join("tea", "bot"))["guestKey"]
    async with upload_client(server, f"Guest {guest_key}") as client:
        photo = (await client.upload(encode_image(Image.new("RGB", (1600, 800), "teal")), "<b>tea.png")).body
        note = (await client.upload(b"a note", "<i>note.txt")).body
        video = (await client.upload(b"\x1aE\xdf\xa3B\x82\x84webm", "clip.webm")).body
    message = {"room": "tea", "message": "", "attachments": [photo["id"], note["id"], video["id"]]}
    assert (await bot.request("sendMessage", message))["ok"]
    chat_page = ChatPage(await browser.open_tab())
    await add_poster(chat_page.page, "clip.webm", photo["path"])
    await chat_page.page.add_init_script(SHIFTED_CLOCK)
    await chat_page.join_room(server.url, "Ann")
    page, keys = chat_page.page, chat_page.page.keyboard
    image, file = page.locator(".attachment.image img"), page.locator(".attachment.file").first
    player = page.locator("video")
    for name, path in (("poster", photo["path"]), ("src", video["path"])):
        await expect(player).to_have_attribute(name, re.compile(re.escape(path)))
    async with page.expect_response(re.compile(re.escape(video["path"]))) as response:
        await player.evaluate("(player) => { player.play().catch(() => {}); }")
    assert (await response.value).headers["content-type"] == "video/webm"
    await expect(player).to_have_js_property("networkState", NETWORK_NO_SOURCE)
    await player.evaluate(PLAY_AFTER_EXPIRY)
    await expect(player).to_have_js_property("loads", 2)
    await expect(player).to_have_js_property("networkState", NETWORK_NO_SOURCE)
    await page.evaluate("globalThis.clockShift = 0")
    await player.focus()
    await keys.press("ArrowUp")
    await expect(player).to_be_focused()
    await expect(image).to_have_js_property("naturalWidth", 512)
    await expect(image).to_have_attribute("alt", "<b>tea.png")
    box = await image.bounding_box()
    assert box
    assert (box["width"], box["height"]) == (360, 180)
    await expect(file).to_have_text("File <i>note.txt text/plain · 6 B Download")
    async with page.expect_download() as download:
        await file.click()
    assert (await (await download.value).path()).read_bytes() == b"a note"
    async with chat_page.tab.context.expect_page() as opened:
        await image.click()
    await expect((await opened.value).locator("img")).to_have_js_property("naturalWidth", 1600)
    await (await opened.value).close()
    captions = [
        f"[image <b>tea.png · 1600×800 · {photo['size'] / 1024:.1f} KiB]",
        "[file <i>note.txt · text/plain · 6 B]",
        "[video clip.webm · video/webm · 11 B · with cover]",
    ]
    await chat_page.composer.focus()
    await keys.press("Shift+Tab")
    await keys.press("ArrowUp")
    await keys.press("y")
    await expect(page.locator("#toast")).to_have_text("Copied to clipboard.")
    await chat_page.composer.focus()
    await keys.press("Control+V")
    await expect(chat_page.composer).to_have_value("\n".join(captions))
    await chat_page.composer.fill("")
    await keys.press("Shift+Tab")
    await keys.press("ArrowUp")
    await keys.press("r")
    reply = f"nice {server.url}/health"
    await chat_page.send_message(reply)
    await expect(page.locator(".quote")).to_have_text(" ".join(["bot", *captions]))
    await chat_page.expect_all_sent()
    await keys.press("Shift+Tab")
    await keys.press("ArrowUp")
    await keys.press("Enter")
    await expect(page.locator(".message.highlighted .attachment")).to_have_count(3)
    await chat_page.composer.focus()
    await keys.press("Shift+Tab")
    await keys.press("ArrowUp")
    async with chat_page.tab.context.expect_page() as opened:
        await keys.press("o")
    await expect(await opened.value).to_have_url(f"{server.url}/health")
    await (await opened.value).close()
    await bot.request("deleteMessage", {"room": "tea", "seq": 1})
    await chat_page.expect_messages("This message was deleted.", reply)
    await expect(page.locator(".attachment")).to_have_count(0)
    chat_page.assert_no_errors()
