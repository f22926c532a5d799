"""Somebody who talks through the page."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from tests.support.browser import BrowserTab, open_tab

UNREACHABLE_ERRORS = ("net::ERR_", "WebSocket connection to")
"""What Chromium itself says in the console of a server that is not there."""


@dataclass
class ChatPage:
    """One tab in one room, driven as a person would."""

    tab: BrowserTab

    @property
    def page(self) -> Page:
        return self.tab.page

    @property
    def messages(self) -> Locator:
        """What was said, yours that is still to be sent included."""
        return self.page.locator("#timeline-lines .message-text")

    @property
    def rows(self) -> Locator:
        """The lines that hold those messages."""
        return self.page.locator("#timeline-lines .message")

    @property
    def composer(self) -> Locator:
        return self.page.locator("#composer-input")

    async def join_room(self, url: str, nick: str, room: str = "tea") -> None:
        """Open the page and go into the room."""
        await self.page.goto(f"{url}/#{room}")
        await self.page.locator("#join-nick").fill(nick)
        await self.page.locator("#join-submit").click()
        await expect(self.composer).to_be_visible()

    async def send_message(self, text: str) -> None:
        """Write it and press Enter."""
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def expect_messages(self, *texts: str) -> None:
        """Wait until exactly these were said, in this order."""
        patterns = [re.compile(f"^{re.escape(text)}( \\(edited\\))?$") for text in texts]
        await expect(self.messages).to_have_text(patterns)

    async def expect_all_sent(self) -> None:
        """Wait until nothing of yours is on its way."""
        await expect(
            self.page.locator("#timeline-lines .message:is(.pending, .failed, .change-pending)")
        ).to_have_count(0)

    async def expect_connection_state(self, state: str = "online") -> None:
        """Wait for a state of the connection."""
        await expect(self.page.locator("#connection")).to_have_attribute("data-state", state)

    def assert_no_errors(self) -> None:
        """The page complained of nothing: no error, no warning, no violation of its policy."""
        assert self.tab.console_errors == []


async def open_chat_page(browser: Browser, url: str, nick: str, room: str = "tea", **context_options: Any) -> ChatPage:
    """Somebody new, in the room."""
    chat_page = ChatPage(await open_tab(browser, **context_options))
    await chat_page.join_room(url, nick, room)
    return chat_page
