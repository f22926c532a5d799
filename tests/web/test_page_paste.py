"""Paste and drop into the composer."""

import pytest
from playwright.async_api import expect

from server.app import RunningServer
from tests.support.browser import Browser
from tests.support.chat_page import open_chat_page

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_a_large_paste_asks_for_confirmation(browser: Browser, server: RunningServer) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    await writer.tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = "(text) => navigator.clipboard.writeText(text)"
    await writer.page.evaluate(copy, "two\nlines\n")
    await writer.composer.press("Control+V")
    await expect(writer.composer).to_have_value("two\nlines\n")
    await writer.composer.fill("")
    many = "\n".join(f"line {number}" for number in range(12))
    await writer.page.evaluate(copy, many + "\n")
    await writer.composer.press("Control+V")
    dialog = writer.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Paste 12 lines?")
    await writer.page.keyboard.press("Escape")
    await expect(writer.composer).to_have_value("")
    await writer.composer.press("Control+V")
    await dialog.get_by_role("button", name="Insert into message").click()
    await expect(writer.composer).to_have_value(many)
    await expect(writer.messages).to_have_count(0)
    await writer.composer.fill("")
    await writer.composer.press("Control+V")
    await dialog.get_by_role("button", name="Send as one message").click()
    await writer.expect_messages(many)
    await writer.page.evaluate(copy, "x" * 4001)
    await writer.composer.press("Control+V")
    await expect(dialog).to_contain_text("4,001 characters")
    await expect(dialog.get_by_role("button", name="Send as one message")).to_have_count(0)
    await writer.page.keyboard.press("Escape")
    await writer.expect_all_sent()
    writer.assert_no_errors()


DROP = """([text, bytes]) => {
  const moved = new DataTransfer();
  if (bytes) moved.items.add(new File([new Uint8Array(bytes)], "a.txt"));
  else moved.setData("text/plain", text);
  for (const type of ["dragenter", "dragover", "drop"]) {
    conversation.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: moved }));
  }
}"""


async def test_drop_accepts_text_and_text_files_only(browser: Browser, server: RunningServer) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    await writer.page.evaluate(DROP, ["dropped ", None])
    await expect(writer.composer).to_have_value("dropped ")
    await writer.page.evaluate(DROP, ["", list("a file 你好".encode())])
    await expect(writer.composer).to_have_value("dropped a file 你好")
    await writer.page.evaluate(DROP, ["", [0xFF, 0xD8, 0xFF]])
    await expect(writer.page.locator("#composer-error")).to_have_text(
        "Files cannot be sent. You can paste or drop text, and UTF-8 text files of up to 64 KB."
    )
    await expect(writer.messages).to_have_count(0)
    writer.assert_no_errors()
