"""A real Chromium, and tabs whose every complaint is kept."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, async_playwright

from tests.support.requirements import need_chromium

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
"""Viewports in CSS pixels."""

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Tab:
    """A tab with storage of its own, as another browser would have.

    Attributes:
        page: Playwright's handle of it.
        complaints: What the console called an error or a warning, and every exception nobody caught.
    """

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", self._failed)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error.stack or error))

    def forgive(self, *parts: str) -> None:
        """Forget complaints that contain one of these: those of a connection that the test broke."""
        self.complaints = [text for text in self.complaints if not any(part in text for part in parts)]


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """A browser without a window; skips the test where none is installed."""
    path = need_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


async def open_tab(browser: Browser, *, viewport: dict[str, int] = DESKTOP, locale: str = "en-GB", **more: Any) -> Tab:
    """A new tab, with nothing remembered."""
    size: Any = viewport
    context = await browser.new_context(viewport=size, locale=locale, **more)
    context.set_default_timeout(15_000)
    return Tab(context, await context.new_page())
