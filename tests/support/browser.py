"""Headless Chromium with recorded console errors."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser as PlaywrightBrowser,
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Error,
    Frame,
    Page,
    Route,
    async_playwright,
    expect,
)

from tests.support.requirements import require_chromium

DESKTOP_VIEWPORT = {"width": 1280, "height": 800}
PHONE_VIEWPORT = {"width": 390, "height": 844}
"""Viewport sizes in CSS pixels."""

TIMEOUT = 15_000
"""Timeout of a single wait, in milliseconds."""

expect.set_options(timeout=TIMEOUT)

_CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # One renderer process per context, because the start of a process takes 60 ms of CPU time.
    "--renderer-process-limit=1",
    "--disable-site-isolation-trials",
    # Most pages of the tests end before optimized code repays its compilation.
    "--js-flags=--no-opt",
)


class BrowserTab:
    """Tab of a browser context.

    Attributes:
        context: Browser context, whose tabs share their storage.
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


class _ReusableContext:
    """Browser context with an empty page, which keeps the renderer process between the tabs of two tests.

    A page that is isolated from other origins shares a renderer process only with pages of its own origin, so the empty
    page has the origin and the isolation of the page under test.
    """

    def __init__(self, context: BrowserContext, session: CDPSession) -> None:
        self.context = context
        self._session: Any = session
        self._origins: set[str] = set()
        context.on("page", lambda page: page.on("framenavigated", self._on_navigation))

    @classmethod
    async def create(cls, context: BrowserContext, origin: str) -> Self:
        """Open the empty page of a new browser context.

        Args:
            context: Browser context without pages.
            origin: Origin of the pages under test.
        """
        page = await context.new_page()
        await page.route("**", _send_empty_page)
        await page.goto(origin)
        return cls(context, await context.new_cdp_session(page))

    def _on_navigation(self, frame: Frame) -> None:
        address = urlsplit(frame.url)
        if address.netloc:
            self._origins.add(f"{address.scheme}://{address.netloc}")

    async def reset(self) -> None:
        """Close the tabs, and clear their storage, permissions and network conditions."""
        for page in self.context.pages[1:]:
            await page.close()
        while self._origins:
            parameters = {"origin": self._origins.pop(), "storageTypes": "all"}
            await self._session.send("Storage.clearDataForOrigin", parameters)
        await self.context.clear_cookies()
        await self.context.clear_permissions()
        await self.context.set_offline(False)


async def _send_empty_page(route: Route) -> None:
    """Answer a request with an empty page that has the isolation of the page under test."""
    headers = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
    await route.fulfill(content_type="text/html", headers=headers, body="")


class Browser:
    """Headless Chromium.

    Tests reuse browser contexts and their renderer processes, because the start of a process and its caches takes half
    of the time of a short test. The tabs of one test have separate contexts.

    Args:
        browser: Running browser.
        origin: Origin of the pages whose tabs reuse a renderer process.
    """

    def __init__(self, browser: PlaywrightBrowser, origin: str) -> None:
        self._browser = browser
        self._origin = origin
        self._idle_contexts: list[_ReusableContext] = []
        self._used_contexts: list[_ReusableContext] = []

    async def open_tab(
        self,
        *,
        viewport: dict[str, int] = DESKTOP_VIEWPORT,
        color_scheme: Literal["dark", "light"] = "light",
        forced_colors: Literal["active", "none"] = "none",
        **context_options: Any,
    ) -> BrowserTab:
        """Open a tab with empty storage. `context_options` require a new browser context."""
        size: Any = viewport
        if context_options:
            context = await self._new_context(viewport=size, **context_options)
        else:
            context = await self._take_context()
        page = await context.new_page()
        if not context_options:
            await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=color_scheme, forced_colors=forced_colors)
        return BrowserTab(context, page)

    async def close_tabs(self) -> None:
        """Close all tabs and remove their storage."""
        reusable = [used.context for used in (*self._idle_contexts, *self._used_contexts)]
        for context in self._browser.contexts:
            if context not in reusable:
                await context.close()
        while self._used_contexts:
            await self._used_contexts[-1].reset()
            self._idle_contexts.append(self._used_contexts.pop())

    async def _take_context(self) -> BrowserContext:
        """Return an idle context, or a new one."""
        if self._idle_contexts:
            self._used_contexts.append(self._idle_contexts.pop())
        else:
            self._used_contexts.append(await _ReusableContext.create(await self._new_context(), self._origin))
        return self._used_contexts[-1].context

    async def _new_context(self, *, locale: str = "en-GB", **options: Any) -> BrowserContext:
        context = await self._browser.new_context(locale=locale, **options)
        context.set_default_timeout(TIMEOUT)
        return context


@asynccontextmanager
async def chromium(origin: str = "http://127.0.0.1") -> AsyncGenerator[Browser]:
    """Run a headless browser, or skip the test; pages of `origin` share renderer processes."""
    path = require_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_CHROMIUM_FLAGS))
        try:
            yield Browser(browser, origin)
        finally:
            await browser.close()


def record_navigations(page: Page) -> list[str]:
    """Return a list to which the URL of each later document request of a page is appended."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url) if request.is_navigation_request() else None)
    return urls


async def send_devtools_command(page: Page, method: str, parameters: dict[str, Any]) -> None:
    """Send a command of the Chrome DevTools Protocol to a page."""
    session: Any = await page.context.new_cdp_session(page)
    await session.send(method, parameters)
