"""Headless Chromium with recorded console errors."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, async_playwright

from tests.support.requirements import require_chromium

DESKTOP_VIEWPORT = {"width": 1280, "height": 800}
PHONE_VIEWPORT = {"width": 390, "height": 844}
"""Viewport sizes in CSS pixels."""

_CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class BrowserTab:
    """Tab with a separate browser context.

    Attributes:
        context: Browser context with separate storage.
        page: Playwright page.
        console_errors: Console errors, console warnings and uncaught exceptions.
    """

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.console_errors: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", self._on_page_error)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.console_errors.append(message.text)

    def _on_page_error(self, error: Error) -> None:
        self.console_errors.append(str(error.stack or error))

    def ignore_errors(self, *substrings: str) -> None:
        """Remove expected errors: those that contain one of the substrings."""
        self.console_errors = [text for text in self.console_errors if not any(part in text for part in substrings)]


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """Run a headless browser, or skip the test."""
    path = require_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


async def open_tab(
    browser: Browser, *, viewport: dict[str, int] = DESKTOP_VIEWPORT, locale: str = "en-GB", **context_options: Any
) -> BrowserTab:
    """Open a tab with empty storage."""
    size: Any = viewport
    context = await browser.new_context(viewport=size, locale=locale, **context_options)
    context.set_default_timeout(15_000)
    return BrowserTab(context, await context.new_page())


async def send_devtools_command(page: Page, method: str, parameters: dict[str, Any]) -> None:
    """Send a command of the Chrome DevTools Protocol to a page."""
    session: Any = await page.context.new_cdp_session(page)
    await session.send(method, parameters)
