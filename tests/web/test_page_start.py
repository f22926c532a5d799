"""Start of the page: modules that fail to load, index pages of another release, room in the URL, blocked storage."""

import re

import pytest
from playwright.async_api import Route, expect

from server.app import RunningServer
from tests.support.browser import Browser, record_navigations
from tests.support.chat_page import ChatPage

pytestmark = [pytest.mark.needs_chromium, pytest.mark.asyncio(loop_scope="session")]

LOAD_ERRORS = ("net::ERR_", "Failed to load resource", "does not provide an export", "no HTMLElement")


async def test_a_module_that_fails_once_is_loaded_by_one_reload(browser: Browser, server: RunningServer) -> None:
    tab = await browser.open_tab()
    navigations = record_navigations(tab.page)

    async def fail_once(route: Route) -> None:
        await (route.abort() if len(navigations) == 1 else route.continue_())

    await tab.page.route("**/app.js", fail_once)
    async with tab.page.expect_event("load", lambda _: len(navigations) == 2):  # the reload follows after a delay
        await tab.page.goto(f"{server.url}/#/tea")
    await expect(tab.page.locator("#join-room")).to_have_value("tea")
    await expect(tab.page.locator("#load-error")).to_have_count(0)
    assert len(navigations) == 2
    tab.ignore_errors(*LOAD_ERRORS)
    assert tab.console_errors == []


@pytest.mark.parametrize("pattern", ["**/app.js", "**/socket.io.esm.min.js"])
async def test_a_missing_module_leaves_a_message_in_both_languages(
    browser: Browser, server: RunningServer, pattern: str
) -> None:
    tab = await browser.open_tab()
    navigations = record_navigations(tab.page)
    await tab.page.route(pattern, lambda route: route.fulfill(status=404))
    async with tab.page.expect_event("load", lambda _: len(navigations) == 2):
        await tab.page.goto(server.url)
    message = tab.page.locator("#load-error")
    await expect(message).to_be_visible()
    await expect(message).to_contain_text("The page did not load completely.")
    await expect(message).to_contain_text("页面未能完整加载")
    await expect(message.locator(":lang(zh)")).to_be_visible()
    await tab.page.wait_for_load_state("networkidle")
    assert len(navigations) == 2
    tab.ignore_errors(*LOAD_ERRORS)
    assert tab.console_errors == []


async def test_the_load_error_needs_neither_scripts_nor_styles(browser: Browser, server: RunningServer) -> None:
    tab = await browser.open_tab()
    await tab.page.route("**/assets/**", lambda route: route.abort())
    await tab.page.goto(server.url)
    await expect(tab.page.locator("#load-error")).to_be_visible()


async def test_an_index_page_of_another_release_loads_the_modules_of_this_release(
    browser: Browser, server: RunningServer
) -> None:
    tab = await browser.open_tab()
    modules: list[str] = []
    tab.page.on("response", lambda answer: modules.append(answer.url) if answer.ok and ".js" in answer.url else None)

    async def outdate(route: Route) -> None:
        answer = await route.fetch()
        outdated = re.sub(r"assets/[0-9a-f]{12}/", "assets/0123456789ab/", await answer.text())
        await route.fulfill(response=answer, body=outdated)

    await tab.page.route(f"{server.url}/", outdate)
    await tab.page.goto(server.url)
    await expect(tab.page.locator("#join-form")).to_be_visible()
    assert await tab.page.locator("#join-submit").evaluate("(button) => getComputedStyle(button).borderRadius") != "0px"
    assert any(url.endswith("/app.js") for url in modules)
    assert not any("0123456789ab" in url for url in modules)
    assert tab.console_errors == []


async def test_an_index_page_without_a_new_element_is_reloaded(browser: Browser, server: RunningServer) -> None:
    tab = await browser.open_tab()
    navigations = record_navigations(tab.page)

    async def outdate(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.text()
        assert 'id="toast"' in body
        await route.fulfill(response=answer, body=body.replace('id="toast"', "") if len(navigations) == 1 else body)

    await tab.page.route(f"{server.url}/", outdate)
    async with tab.page.expect_event("load", lambda _: len(navigations) == 2):  # the reload follows after a delay
        await tab.page.goto(server.url)
    await expect(tab.page.locator("#join-form")).to_be_visible()
    assert len(navigations) == 2


async def test_the_join_form_shows_the_room_of_the_query_which_a_fragment_overrides(
    browser: Browser, server: RunningServer
) -> None:
    tab = await browser.open_tab()
    await tab.page.goto(f"{server.url}/?room=caf%C3%A9%20%E8%8C%B6")
    await expect(tab.page.locator("#join-room")).to_have_value("café 茶")
    await expect(tab.page.locator("#join-nick")).to_be_focused()
    await tab.page.keyboard.type("Ann")
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.locator("#room-name")).to_have_text("café 茶")
    await expect(tab.page).to_have_url(f"{server.url}/#/caf%C3%A9%20%E8%8C%B6")
    await tab.page.goto(f"{server.url}/?room=tea#/coffee")
    await expect(tab.page.locator("#room-name")).to_have_text("coffee")
    assert tab.console_errors == []


BLOCK_STORAGE = """
for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
}
"""
BLOCK_LOCKS = "LockManager.prototype.request = async () => { throw new DOMException('blocked', 'SecurityError'); };"
BLOCK_CHANNELS = """
Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });
window.BroadcastChannel = class { constructor() { throw new DOMException("blocked", "SecurityError"); } };
"""


@pytest.mark.parametrize("blocked", [BLOCK_LOCKS, BLOCK_CHANNELS], ids=["Web Locks", "BroadcastChannel"])
async def test_messages_rooms_and_themes_need_neither_storage_nor_locks(
    browser: Browser, server: RunningServer, blocked: str
) -> None:
    tab = await browser.open_tab()
    await tab.page.add_init_script(BLOCK_STORAGE + blocked)
    chat_page = ChatPage(tab)
    await chat_page.join_room(server.url, "Ann")
    await chat_page.send_message("hello")
    await chat_page.expect_messages("hello")
    await chat_page.open_room("coffee")
    await tab.page.keyboard.press("Alt+ArrowUp")
    await chat_page.expect_messages("hello")
    await tab.page.locator("#settings-open").click()
    await tab.page.get_by_role("radio", name="Dark").click()
    await expect(tab.page.locator("html")).to_have_attribute("data-theme", "dark")
    chat_page.assert_no_errors()
