"""Somebody who talks through the page."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from tests.support.browser import Tab, open_tab

UNREACHABLE = ("net::ERR_", "WebSocket connection to")
"""What Chromium itself says in the console of a server that is not there."""


@dataclass
class Visitor:
    """One tab in one room, driven as a person would."""

    tab: Tab

    @property
    def page(self) -> Page:
        return self.tab.page

    @property
    def messages(self) -> Locator:
        """What was said, yours that is still to be sent included."""
        return self.page.locator("#lines .said")

    @property
    def rows(self) -> Locator:
        """The lines that hold those messages."""
        return self.page.locator("#lines .message")

    @property
    def composer(self) -> Locator:
        return self.page.locator("#message-field")

    async def go(self, url: str, nick: str, room: str = "tea") -> None:
        """Open the page and go into the room."""
        await self.page.goto(f"{url}/#{room}")
        await self.page.locator("#nick-field").fill(nick)
        await self.page.locator("#door-enter").click()
        await expect(self.composer).to_be_visible()

    async def say(self, text: str) -> None:
        """Write it and press Enter."""
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def sees(self, *texts: str) -> None:
        """Wait until exactly these were said, in this order."""
        whole = [re.compile(f"^{re.escape(text)}( \\(edited\\))?$") for text in texts]
        await expect(self.messages).to_have_text(whole)

    async def all_sent(self) -> None:
        """Wait until nothing of yours is on its way."""
        await expect(self.page.locator("#lines .message:is(.pending, .failed, .changing)")).to_have_count(0)

    async def online(self, state: str = "online") -> None:
        """Wait for a state of the connection."""
        await expect(self.page.locator("#connection")).to_have_attribute("data-state", state)

    def behaved(self) -> None:
        """The page complained of nothing: no error, no warning, no violation of its policy."""
        assert self.tab.complaints == []


async def visitor(browser: Browser, url: str, nick: str, room: str = "tea", **context: Any) -> Visitor:
    """Somebody new, in the room."""
    somebody = Visitor(await open_tab(browser, **context))
    await somebody.go(url, nick, room)
    return somebody
