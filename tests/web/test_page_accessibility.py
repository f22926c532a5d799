"""The page for those who do not see it, or not well: axe-core on every state, in both schemes, on both sizes."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page

from server.runtime import Running
from tests.support.browser import DESKTOP, PHONE, open_tab
from tests.support.raw_client import RawClient
from tests.support.requirements import need_axe
from tests.support.visitor import UNREACHABLE, Visitor

pytestmark = [pytest.mark.needs_chromium, pytest.mark.needs_node, pytest.mark.asyncio(loop_scope="session")]


async def faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical in what the page shows now."""
    await page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
    report: Any = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{fault['id']}: {node['html'][:160]}: {node.get('failureSummary', '')[:200]}"
        for fault in report["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]


async def inhabited(bot: RawClient) -> None:
    await bot.join("coffee", "bot")
    await bot.ask("setTopic", {"room": "tea", "topic": "茶 and more"})
    for text in ("你好 👋", "Ann, see https://example.org/a", "/me waves", "🎉", "gone"):
        await bot.ask("sendMessage", {"room": "tea", "message": text})
    await bot.ask("sendMessage", {"room": "tea", "message": "an answer", "replyTo": 2})
    await bot.ask("react", {"room": "tea", "seq": 2, "emoji": "👍", "on": True})
    await bot.ask("deleteMessage", {"room": "tea", "seq": 6})


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_any_state(
    browser: Browser, server: Running, bot: RawClient, viewport: dict[str, int], scheme: str
) -> None:
    await inhabited(bot)
    # The tool is put in by the browser itself; the page's own policy would not let it in.
    tab = await open_tab(browser, viewport=viewport, color_scheme=scheme, locale="en-GB")
    page = tab.page
    found: dict[str, list[str]] = {}

    async def look(state: str) -> None:
        found[state] = await faults(page)

    await page.goto(f"{server.url}/#/tea")
    await page.evaluate(need_axe().read_text())
    await page.locator("#join-submit").click()
    await look("door, with a problem")
    reader = Visitor(tab)
    await page.locator("#join-nick").fill("Ann")
    await page.locator("#join-submit").click()
    await reader.sees(
        "你好 👋", "Ann, see https://example.org/a", "* bot waves", "🎉", "This message was deleted.", "an answer"
    )
    await reader.say("\x01")
    await reader.say("/join coffee")
    await bot.ask("sendMessage", {"room": "tea", "message": "Ann?"})
    await page.locator("#room-list .badge").wait_for(state="attached")
    if viewport is PHONE:
        await page.get_by_role("button", name="Rooms").click()
        await look("rooms")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Members").click()
        await look("members")
        await page.keyboard.press("Escape")
    await page.keyboard.press("Alt+ArrowUp")
    await page.locator("#timeline-lines .failed").wait_for()
    await look("a room")
    await reader.rows.first.focus()
    await look("a message picked")
    await page.keyboard.press("a")
    await look("emoji")
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await look("an answer begun")
    await page.keyboard.press("Escape")
    await reader.say("mine")
    await reader.say("/nonsense")
    await look("a command that is none")
    await reader.composer.fill("")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+K")
    await look("joining")
    await page.keyboard.type("new")
    await look("joining a new one")
    await page.keyboard.press("Escape")
    await page.keyboard.press("F1")
    await look("help")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Settings").click()
    await look("settings")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+Shift+F")
    await page.keyboard.type("waves")
    await page.locator("#search-status:not(:empty)").wait_for()
    await look("search")
    await page.keyboard.press("Escape")
    await reader.rows.last.focus()
    await page.keyboard.press("d")
    await look("a question")
    await page.keyboard.press("Escape")
    await tab.context.set_offline(True)
    await reader.online("offline")
    await look("offline")
    problems = [f"{state}: {problem}" for state, problems in found.items() for problem in problems]
    assert not problems, "\n".join(problems)
    tab.forgive(*UNREACHABLE)
    reader.behaved()
