"""Timeline: scroll anchoring, windowing, responsive layout and live region."""

import pytest
from playwright.async_api import Page, expect

from server.app import RunningServer
from tests.support.axe import load_axe, violations
from tests.support.browser import DESKTOP_VIEWPORT, PHONE_VIEWPORT, Browser, send_devtools_command
from tests.support.chat_page import UNREACHABLE_ERRORS, ChatPage, open_chat_page
from tests.support.raw_client import RawClient

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

TOP_EDGE = "(row) => Math.round(row.getBoundingClientRect().top)"
FIRST_VISIBLE = """(() => {
  const top = timeline.getBoundingClientRect().top;
  const rows = [...document.querySelectorAll("#timeline-lines .message")];
  const row = rows.find((candidate) => candidate.getBoundingClientRect().bottom > top);
  const rect = row.getBoundingClientRect();
  return { key: row.dataset.key, top: (rect.top - top) / rect.height };
})()"""
"""Message at the top edge of the timeline, and its distance from that edge in heights of the message."""
AFTER_LAYOUT = "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))))"
"""Wait for the layout of earlier changes, and for its effects."""
IS_AT_BOTTOM = "(scroller) => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 2"


async def resize(page: Page, width: int, height: int) -> None:
    """Resize the viewport, and wait for the layout."""
    await page.set_viewport_size({"width": width, "height": height})
    await expect(page.locator("html")).to_have_js_property("clientWidth", width)
    await expect(page.locator("html")).to_have_js_property("clientHeight", height)
    await page.evaluate(AFTER_LAYOUT)


async def send_messages(client: RawClient, count: int, word: str = "line") -> None:
    """Send messages with a word and ascending numbers from 1 to room `tea`."""
    await client.send_messages("tea", [f"{word} {number}" for number in range(1, count + 1)])


async def scroll_to(chat_page: ChatPage, top: int) -> None:
    """Scroll the timeline to a position in px."""
    await chat_page.page.locator("#timeline").evaluate("(scroller, top) => scroller.scrollTo(0, top)", top)


async def test_loading_older_history_keeps_the_scroll_position(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    row = chat_page.page.locator("#timeline-lines .message", has=chat_page.page.get_by_text("line 255", exact=True))
    for top in (0, 60, 120, 400):
        room = f"from {top}"
        await bot.join(room, "bot")
        await bot.send_messages(room, [f"line {number}" for number in range(1, 351)])
        await chat_page.open_room(room)
        await expect(chat_page.messages.last).to_have_text("line 350")
        assert await chat_page.messages.count() < 350
        # Measure after the scroll and before the requested history page can arrive.
        before = await row.evaluate(f"(row) => {{ timeline.scrollTop = {top}; return ({TOP_EDGE})(row); }}")
        await expect(chat_page.page.locator("#timeline-lines")).to_contain_text("line 200")
        assert abs(await row.evaluate(TOP_EDGE) - before) <= 1, top
        while await chat_page.page.get_by_text("line 1", exact=True).count() == 0:
            await scroll_to(chat_page, 0)
        await expect(chat_page.page.locator("#history-start")).to_have_text("Start of the room history")
        await chat_page.expect_messages(*(f"line {number}" for number in range(1, 351)))
    chat_page.assert_no_errors()


async def test_new_messages_keep_the_scroll_position_of_a_scrolled_up_reader(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await send_messages(bot, 120)
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await expect(chat_page.messages.last).to_have_text("line 120")
    await scroll_to(chat_page, 1000)
    await expect(chat_page.page.locator("#jump-to-newest")).to_have_text("Jump to latest ↓")
    row = chat_page.page.locator("#timeline-lines .message", has=chat_page.page.get_by_text("line 70", exact=True))
    before = await row.evaluate(TOP_EDGE)
    await send_messages(bot, 3, "new")
    await expect(chat_page.page.locator("#jump-to-newest")).to_have_text("3 new messages ↓")
    await expect(chat_page.page).to_have_title("(3) tea")
    assert abs(await row.evaluate(TOP_EDGE) - before) <= 1
    await chat_page.page.locator("#jump-to-newest").click()
    await expect(chat_page.page.locator(".divider.unread + .message")).to_contain_text("new 1")
    await expect(chat_page.page.get_by_text("new 3", exact=True)).to_be_in_viewport()
    await expect(chat_page.page).to_have_title("tea · Chat")
    await expect(chat_page.page.locator("#jump-to-newest")).to_be_hidden()
    chat_page.assert_no_errors()


async def test_a_growing_composer_and_a_sent_reply_show_the_newest_message(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await send_messages(bot, 60)
    writer = await open_chat_page(browser, server.url, "Ann")
    await expect(writer.messages.last).to_be_in_viewport(ratio=1)
    for lines in (10, 40, 2, 1):
        await writer.composer.fill("\n".join(["a line"] * lines))
        await expect(writer.messages.last).to_be_in_viewport(ratio=1)
        await expect(writer.page.locator("#jump-to-newest")).to_be_hidden()
    await scroll_to(writer, 500)
    await writer.composer.fill("a line\n" * 40)
    jump_button = writer.page.locator("#jump-to-newest")
    await jump_button.click()
    await expect(writer.messages.last).to_be_in_viewport(ratio=1)
    await scroll_to(writer, 500)
    await expect(jump_button).to_be_visible()
    await writer.send_message("/reply an answer")
    await expect(writer.page.get_by_text("an answer")).to_be_in_viewport(ratio=1)
    writer.assert_no_errors()


async def test_the_title_counts_messages_received_in_a_hidden_tab(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    set_visibility = """(state) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, value: state });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    await chat_page.page.evaluate(set_visibility, "hidden")
    await chat_page.send_message("my own")
    await send_messages(bot, 2, "new")
    await expect(chat_page.page).to_have_title("(2) tea")
    await chat_page.page.evaluate(set_visibility, "visible")
    await expect(chat_page.page).to_have_title("tea · Chat")
    await expect(chat_page.page.locator(".divider.unread + .message")).to_contain_text("new 1")
    chat_page.assert_no_errors()


async def test_a_message_flood_keeps_the_rendered_window_bounded(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await send_messages(bot, 1200)
    await expect(chat_page.messages.last).to_have_text("line 1200")
    await expect(chat_page.messages.last).to_be_in_viewport()
    assert await chat_page.messages.count() <= 400
    await scroll_to(chat_page, 0)
    await expect(chat_page.page.locator("#jump-to-newest")).to_be_visible()
    for _ in range(25):
        await scroll_to(chat_page, 0)
        await chat_page.page.evaluate("new Promise(requestAnimationFrame)")
    assert await chat_page.messages.count() <= 600
    shown = await chat_page.messages.all_text_contents()
    first = int(shown[0].removeprefix("line "))
    assert first < 600
    assert shown == [f"line {number}" for number in range(first, first + len(shown))]
    await chat_page.page.keyboard.press("Escape")
    await expect(chat_page.page.get_by_text("line 1200", exact=True)).to_be_in_viewport()
    chat_page.assert_no_errors()


async def test_the_layout_fits_each_viewport(browser: Browser, server: RunningServer, bot: RawClient) -> None:
    await bot.request("changeNick", {"nickName": "W" * 32})
    await bot.request("setTopic", {"room": "tea", "topic": "a topic that is rather long " * 8})
    texts = ["x" * 300, "https://example.org/" + "path/" * 60, "漢字" * 200, "👩‍👩‍👧‍👦" * 60, "tab\t" * 80, "שלום עולם"]
    for text in texts:
        await bot.request("sendMessage", {"room": "tea", "message": text})
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await chat_page.expect_messages(*texts)
    for viewport in (PHONE_VIEWPORT, DESKTOP_VIEWPORT, {"width": 320, "height": 568}, {"width": 1920, "height": 1080}):
        await resize(chat_page.page, **viewport)
        for scheme in ("light", "dark"):
            await chat_page.page.emulate_media(color_scheme=scheme)
            await chat_page.page.evaluate(AFTER_LAYOUT)
            for element in ("document.documentElement", "document.getElementById('timeline')"):
                assert await chat_page.page.evaluate(f"{element}.scrollWidth <= {element}.clientWidth"), viewport
            send = await chat_page.page.locator("#send-button").bounding_box()
            assert send is not None
            assert send["x"] + send["width"] <= viewport["width"]
            assert send["y"] + send["height"] <= viewport["height"]
            assert await chat_page.page.locator("#timeline").evaluate(IS_AT_BOTTOM), viewport
    chat_page.assert_no_errors()


async def test_the_member_list_is_a_drawer_on_phones(browser: Browser, server: RunningServer) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann", viewport=PHONE_VIEWPORT)
    drawer = chat_page.page.get_by_role("complementary", name="Members")
    await expect(chat_page.page.locator("#members")).to_be_hidden()
    await chat_page.page.get_by_role("button", name="Members").click()
    await expect(drawer).to_be_visible()
    await expect(drawer).to_contain_text("Ann")
    await chat_page.page.keyboard.press("Escape")
    await expect(chat_page.page.locator("#members")).to_be_hidden()
    await expect(chat_page.page.get_by_role("button", name="Members")).to_be_focused()
    chat_page.assert_no_errors()


async def test_the_timeline_is_a_focusable_live_region_with_an_author_per_message(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    log = chat_page.page.get_by_role("log", name="Messages")
    await expect(log).to_have_attribute("aria-live", "polite")
    await bot.send_messages("tea", ["one", "two"])
    await chat_page.expect_messages("one", "two")
    # Grouped messages without a visible header still name their author.
    await expect(chat_page.rows).to_contain_text(["bot", "bot: two"])
    await expect(chat_page.page.get_by_role("textbox", name="Message")).to_be_focused()
    await chat_page.page.keyboard.press("Shift+Tab")
    await expect(log).to_be_focused()
    await chat_page.page.keyboard.press("h")
    await expect(chat_page.composer).to_have_value("h")
    chat_page.assert_no_errors()


async def test_layout_changes_keep_the_scroll_position_and_the_unread_count(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await bot.send_messages("tea", [f"line {number} " + "word " * 60 for number in range(1, 101)])
    chat_page = await open_chat_page(browser, server.url, "Ann", viewport={"width": 1100, "height": 700})
    page = chat_page.page
    await expect(chat_page.messages.last).to_contain_text("line 100")
    # The last lines are below the view, but not below a view of twice the height.
    await page.locator("#timeline").evaluate("(scroller) => scroller.scrollBy(0, -500)")
    await expect(page.locator("#jump-to-newest")).to_be_visible()
    before = await page.evaluate(FIRST_VISIBLE)
    await bot.request("sendMessage", {"room": "tea", "message": "unread"})
    await expect(page).to_have_title("(1) tea")

    async def apply(change: str, is_changed: bool) -> None:
        """Apply or undo a change of the layout, and wait for its effects."""
        match change:
            case "width":
                await resize(page, 500 if is_changed else 1100, 700)
            case "height":
                await resize(page, 1100, 1600 if is_changed else 700)
            case "rotate":
                await resize(page, *((700, 1100) if is_changed else (1100, 700)))
            case "zoom":
                scale = 1.5 if is_changed else 1
                size = {"width": round(1100 / scale), "height": round(700 / scale), "deviceScaleFactor": scale}
                await send_devtools_command(page, "Emulation.setDeviceMetricsOverride", {**size, "mobile": False})
                await expect(page.locator("html")).to_have_js_property("clientWidth", size["width"])
            case "panel":
                await page.locator("#members-toggle").click()
            case "composer":
                await chat_page.composer.fill("a line\n" * 30 if is_changed else "")
            case _:
                await page.evaluate(
                    "(size) => { document.documentElement.style.fontSize = size; }", "22px" if is_changed else ""
                )
        await page.evaluate(AFTER_LAYOUT)

    for change in ("width", "height", "rotate", "zoom", "panel", "composer", "font size"):
        await apply(change, True)
        during = await page.evaluate(FIRST_VISIBLE)
        if change != "height":  # the taller view ends at the newest message
            assert during["key"] == before["key"], change
            assert abs(during["top"] - before["top"]) <= 0.02, change
        await expect(page).to_have_title("(1) tea")
        await apply(change, False)
        after = await page.evaluate(FIRST_VISIBLE)
        assert after["key"] == before["key"], change
        assert abs(after["top"] - before["top"]) <= 0.02, change
        await expect(page).to_have_title("(1) tea")
        await expect(page.locator("#jump-to-newest")).to_have_text("1 new message ↓")
    chat_page.assert_no_errors()


async def test_scrolling_down_resumes_following_in_a_view_that_has_grown(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await send_messages(bot, 60)
    chat_page = await open_chat_page(browser, server.url, "Ann", viewport={"width": 1100, "height": 400})
    page = chat_page.page
    await expect(chat_page.messages.last).to_have_text("line 60")
    await page.locator("#timeline").evaluate("(scroller) => scroller.scrollBy(0, -300)")
    await expect(page.locator("#jump-to-newest")).to_be_visible()
    await resize(page, 1100, 900)
    assert await page.locator("#timeline").evaluate(IS_AT_BOTTOM)
    await expect(page.locator("#jump-to-newest")).to_be_visible()
    await page.locator("#timeline").hover()
    await page.mouse.wheel(0, 100)
    await expect(page.locator("#jump-to-newest")).to_be_hidden()
    await send_messages(bot, 1, "new")
    await expect(page.get_by_text("new 1", exact=True)).to_be_in_viewport()
    chat_page.assert_no_errors()


async def test_a_quote_scrolls_to_its_message_outside_the_loaded_window(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    await send_messages(bot, 600)
    await bot.request("sendMessage", {"room": "tea", "message": "about that", "replyTo": 20})
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await expect(chat_page.messages.last).to_have_text("about that")
    await chat_page.page.locator(".quote").click()
    target = chat_page.page.get_by_text("line 20", exact=True)
    await expect(target).to_be_in_viewport()
    await expect(chat_page.page.locator(".message.highlighted")).to_contain_text("line 20")
    # The gap between the target and the newest page loads on scrolling.
    await bot.request("editMessage", {"room": "tea", "seq": 21, "message": "line 21 edited"})
    await expect(chat_page.page.get_by_text("line 21 edited")).to_be_visible()
    while await chat_page.page.get_by_text("line 400", exact=True).count() == 0:
        down = """(document.querySelector('.gap') ?? document.getElementById('timeline-lines').lastChild)
          .scrollIntoView({ block: 'end' })"""
        await chat_page.page.evaluate(down)
        await chat_page.page.evaluate("new Promise(requestAnimationFrame)")
    while await chat_page.page.locator(".gap").count():
        await chat_page.page.evaluate("document.querySelector('.gap')?.scrollIntoView()")
        await chat_page.page.evaluate("new Promise(requestAnimationFrame)")
    shown = [text for text in await chat_page.messages.all_text_contents() if text.startswith("line")]
    numbers = [int(text.split()[1]) for text in shown]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    await chat_page.page.keyboard.press("Escape")
    await chat_page.page.keyboard.press("Escape")
    await expect(chat_page.messages.last).to_be_in_viewport()
    chat_page.assert_no_errors()


async def test_an_outage_of_more_than_1000_entries_leaves_a_gap_that_loads_on_scroll(
    browser: Browser, server: RunningServer, bot: RawClient
) -> None:
    chat_page = await open_chat_page(browser, server.url, "Ann")
    await bot.request("sendMessage", {"room": "tea", "message": "known"})
    await chat_page.expect_messages("known")
    await chat_page.go_offline()
    await send_messages(bot, 1150)
    await chat_page.tab.context.set_offline(False)
    await expect(chat_page.messages.last).to_have_text("line 1150")
    await send_messages(bot, 1, "live")
    await expect(chat_page.messages.last).to_have_text("live 1")
    gap = chat_page.page.locator(".gap")
    await chat_page.go_offline()  # a visible gap loads only while online
    while await gap.count() == 0:
        await scroll_to(chat_page, 0)
        await chat_page.page.evaluate("new Promise(requestAnimationFrame)")
    await load_axe(chat_page.page)
    assert await violations(chat_page.page, ".gap") == []
    await chat_page.tab.context.set_offline(False)
    await chat_page.expect_connection_state()
    async with chat_page.page.expect_console_message(lambda message: message.text == "loaded", timeout=20_000):
        await chat_page.page.evaluate(
            """() => {
              const texts = () => [...document.querySelectorAll(".message-text")].map((element) => element.textContent);
              const known = () => texts().includes("known");
              const up = () => {
                timeline.scrollTo(0, 0);
                if (known() && !document.querySelector(".gap")) console.log("loaded");
                else requestAnimationFrame(up);
              };
              up();
            }"""
        )
    shown = [text for text in await chat_page.messages.all_text_contents() if text.startswith("line")]
    assert shown == [f"line {number}" for number in range(1, len(shown) + 1)]
    chat_page.tab.ignore_errors(*UNREACHABLE_ERRORS)
    chat_page.assert_no_errors()
