"""A real Chromium, and tabs whose every complaint is kept."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, async_playwright

from tests.support.requirements import require_chromium

DESKTOP_VIEWPORT = {"width": 1280, "height": 800}
PHONE_VIEWPORT = {"width": 390, "height": 844}
"""Viewports in CSS pixels."""

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
    """A tab with storage of its own, as another browser would have.

    Attributes:
        page: Playwright's handle of it.
        complaints: What the console called an error or a warning, and every exception nobody caught.
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
        """Forget complaints that contain one of these: those of a connection that the test broke."""
        self.console_errors = [text for text in self.console_errors if not any(part in text for part in substrings)]


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """A browser without a window; skips the test where none is installed."""
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
    """A new tab, with nothing remembered."""
    size: Any = viewport
    context = await browser.new_context(viewport=size, locale=locale, **context_options)
    context.set_default_timeout(15_000)
    return BrowserTab(context, await context.new_page())
