"""Paste and drop into the composer, and files."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import FilePayload, Request, expect

from server.app import RunningServer
from tests.support.accounts import create_account, open_connection
from tests.support.browser import Browser
from tests.support.chat_page import UNREACHABLE_ERRORS, open_chat_page
from tests.support.in_process_server import running_server
from tests.support.uploads import encode_image

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
    await writer.page.evaluate(copy, f"/{many}")
    await writer.composer.press("Control+V")
    await dialog.get_by_role("button", name="Send as one message").click()
    await writer.expect_messages(many, f"/{many}")
    await writer.page.evaluate(copy, "x" * 4001)
    await writer.composer.press("Control+V")
    await expect(dialog).to_contain_text("Paste 1 line?")
    await expect(dialog).to_contain_text("4,001 characters")
    await expect(dialog.get_by_role("button", name="Send as one message")).to_have_count(0)
    await dialog.get_by_role("button", name="Attach as a file").click()
    await expect(writer.page.locator(".upload")).to_contain_text("paste.txt")
    await expect(writer.page.locator("#upload-status")).to_have_text("1 of 1 files uploaded")
    await expect(writer.composer).to_have_value("")
    await writer.composer.press("Enter")
    await writer.expect_all_sent()
    async with writer.page.expect_download() as download:
        await writer.page.locator(".attachment.file").click()
    assert (await (await download.value).path()).read_text() == "x" * 4001
    writer.assert_no_errors()


DROP = """([text, bytes, selector = "#conversation"]) => {
  const moved = new DataTransfer();
  if (bytes) moved.items.add(new File([new Uint8Array(bytes)], "a.txt"));
  else moved.setData("text/plain", text);
  const events = ["dragenter", "dragover", "drop"].map(
    (type) => new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: moved }),
  );
  for (const event of events) document.querySelector(selector).dispatchEvent(event);
  return events.slice(1).every((event) => event.defaultPrevented);
}"""
"""Script that drops a file with these bytes, or a text if the bytes are null, on an element.

Returns whether the page prevents the actions of the browser, for example opening the file.
"""


async def test_text_and_text_files_are_inserted_after_a_drop_on_the_conversation_only(
    browser: Browser, server: RunningServer
) -> None:
    writer = await open_chat_page(browser, server.url, "Ann")
    await writer.page.evaluate(DROP, ["dropped ", None])
    await expect(writer.composer).to_have_value("dropped ")
    await writer.page.evaluate(DROP, ["", list("a file 你好".encode())])
    await expect(writer.composer).to_have_value("dropped a file 你好")
    assert await writer.page.evaluate(DROP, ["", list(b"elsewhere"), "#rooms"])
    assert not await writer.page.evaluate(DROP, ["elsewhere", None, "#rooms"])
    await expect(writer.messages).to_have_count(0)
    await writer.page.evaluate(DROP, ["", list(b"line\n" * 6)])
    await writer.page.get_by_role("dialog").get_by_role("button", name="Attach as a file").click()
    await expect(writer.page.locator(".upload")).to_contain_text("a.txt30 B")
    await expect(writer.composer).to_have_value("dropped a file 你好")
    writer.assert_no_errors()


async def test_selected_and_dropped_files_are_uploaded_removed_and_sent(
    browser: Browser, server: RunningServer
) -> None:
    reader, writer = [await open_chat_page(browser, server.url, nick) for nick in ("Ben", "Ann")]
    page, uploads = writer.page, writer.page.locator(".upload")
    send = page.get_by_role("button", name="Send")
    await expect(send).to_be_disabled()
    await page.evaluate(DROP, ["", [0xFF, 0xD8, 0xFF]])
    await expect(uploads).to_have_text("a.txtThe image is damaged or has an unsupported format.Retry")
    async with page.expect_response("**/api/uploads?**"):
        await page.get_by_role("button", name="Retry").click()
    await expect(uploads).to_have_class("upload failed")
    await writer.composer.press("Enter")
    await expect(page.locator("#composer-error")).to_have_text("Wait for the files, or remove them.")
    await page.get_by_role("button", name="Remove a.txt").click()
    await expect(uploads).to_have_count(0)
    await page.route("**/api/uploads?**", lambda _route: None)  # never completes
    await page.evaluate(DROP, ["", [0xFF, 0xFE]])
    await expect(uploads.get_by_role("progressbar", name="Uploading a.txt")).to_be_visible()
    async with page.expect_event("dialog") as question:
        await page.close(run_before_unload=True)
    assert (await question.value).type == "beforeunload"
    await (await question.value).dismiss()
    await page.get_by_role("button", name="Remove a.txt").click()
    await expect(uploads).to_have_count(0)
    await page.unroute("**/api/uploads?**")
    image = encode_image(Image.new("RGB", (400, 200), "teal"))
    files: list[FilePayload] = [
        {"name": "tea.png", "mimeType": "image/png", "buffer": image},
        {"name": "<b>note.txt", "mimeType": "text/plain", "buffer": b"a note"},
    ]
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Attach files").click()
    await (await chooser.value).set_files(files)
    await expect(page.locator("#upload-status")).to_have_text("2 of 2 files uploaded")
    await page.reload()
    await expect(page.locator("#upload-status")).to_have_text("2 of 2 files uploaded")
    await writer.composer.press("Enter")
    await expect(uploads).to_have_count(0)
    for chat_page in (writer, reader):
        await expect(chat_page.rows).to_have_count(1)
        await expect(chat_page.page.locator(".attachment img")).to_have_js_property("naturalWidth", 400)
        await expect(chat_page.page.locator(".attachment.file .file-name")).to_have_text("<b>note.txt")
    await writer.expect_all_sent()
    await page.locator("#file-picker").set_input_files(files[1:] * 12)
    await expect(page.locator("#composer-error")).to_have_text("A message can have at most 10 files.")
    await page.get_by_role("button", name="Remove").last.click()
    await expect(page.locator("#upload-status")).to_have_text("9 of 9 files uploaded")
    await writer.send_message("nine files")
    await expect(reader.page.locator(".attachment")).to_have_count(11)
    await reader.expect_messages("nine files")
    writer.tab.ignore_errors("status of 400")
    for chat_page in (writer, reader):
        chat_page.assert_no_errors()


async def test_files_are_rejected_before_their_upload_where_the_policy_or_the_server_permits_none(
    browser: Browser, server: RunningServer, tmp_path: Path
) -> None:
    owner_account = await create_account(server, "owner")
    async with open_connection(server, {"token": owner_account.token}) as (owner, _):
        assert (await owner.request("createRoom", {"roomName": "coffee", "upload": "members"}))["ok"]
        guest = await open_chat_page(browser, server.url, "Ann", "coffee")
        page, button = guest.page, guest.page.get_by_role("button", name="Attach files")
        drop_zone, error = page.locator("#drop-zone"), page.locator("#composer-error")
        dialog = page.get_by_role("dialog")
        uploads: list[Request] = []
        page.on("request", lambda request: uploads.append(request) if "/api/uploads" in request.url else None)
        await expect(button).to_be_hidden()
        await page.evaluate(DROP, ["", [0xFF, 0xFE]])
        await expect(error).to_have_text("Only members of the room can do this.")
        await expect(drop_zone).to_have_text("Drop text here")
        for policy, notice, reason in (
            ({"upload": "everyone", "guestPost": False}, "guestPost = false", "Guests cannot write in this room."),
            ({"guestPost": True, "speak": "moderators"}, "speak = moderators", "Only moderators can do this."),
        ):
            assert (await owner.request("updateRoom", {"room": "coffee", **policy}))["ok"]
            await expect(page.locator("#timeline-lines .notice").last).to_contain_text(notice)
            await page.evaluate(DROP, ["", [0xFF, 0xFE]])
            await expect(error).to_have_text(reason)
            await page.evaluate(DROP, ["line\n" * 6, None])
            await expect(dialog.get_by_role("button")).to_have_text(
                ["Cancel", "Insert into message", "Send as one message"]
            )
            await page.keyboard.press("Escape")
        assert (await owner.request("updateRoom", {"room": "coffee", "speak": "everyone"}))["ok"]
        await expect(button).to_be_visible()
    async with running_server(tmp_path / "small", upload_max_bytes=2000) as small:
        await guest.join_room(small.url, "Ann")
        await page.locator("#file-picker").set_input_files({"name": "a", "mimeType": "", "buffer": b"\xff" * 2001})
        await expect(error).to_have_text("A file can have at most 2.0 KiB.")
    async with running_server(tmp_path / "none", upload_max_bytes=0) as none:
        await guest.join_room(none.url, "Ann")
        await page.evaluate(DROP, ["", [0xFF, 0xFE]])
        await expect(error).to_have_text("This server does not accept files.")
        await expect(button).to_be_hidden()
    assert uploads == []
    guest.tab.ignore_errors(*UNREACHABLE_ERRORS)
    guest.assert_no_errors()
