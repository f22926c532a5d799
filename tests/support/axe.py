"""Accessibility checks of a page with axe-core."""

from typing import Any, Literal

from playwright.async_api import Page, expect

from tests.support.requirements import require_axe

RULES: dict[Literal["dark", "light"], dict[str, Any]] = {
    "light": {},
    "dark": {"runOnly": ["color-contrast", "link-in-text-block"]},
}
"""Options of axe-core per color scheme. The schemes differ only in colors."""


async def load_axe(page: Page) -> None:
    """Add axe-core to the document, or skip the test. The CSP blocks script elements, but no evaluated expressions."""
    await page.evaluate(require_axe().read_text())


async def violations(page: Page, scope: str = "html") -> list[str]:
    """Return the axe-core violations of the current state in both color schemes, of every impact.

    Args:
        page: Page with axe-core.
        scope: Selector of the examined part.
    """
    found: list[str] = []
    for scheme, rules in RULES.items():
        await page.emulate_media(color_scheme=scheme)
        await page.evaluate("Promise.allSettled(document.getAnimations().map((animation) => animation.finished))")
        # The preload requests all style sheets, for rules that are disabled by default.
        options = {"resultTypes": ["violations"], "preload": False, **rules}
        report: Any = await page.evaluate("([scope, options]) => axe.run(scope, options)", [scope, options])
        found += [
            f"{scheme}: {violation['id']}: {node['html'][:160]}: {node.get('failureSummary', '')[:200]}"
            for violation in report["violations"]
            for node in violation["nodes"]
        ]
    return found


class AxeReport:
    """Violations of one page by state.

    Args:
        page: Page with axe-core.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._violations: list[str] = []

    async def check(self, state: str, scope: str = "html") -> None:
        """Wait for the last element of a selector, and record the violations under the name `state`."""
        await expect(self._page.locator(scope).last).to_be_visible()
        self._violations += [f"{state}: {violation}" for violation in await violations(self._page, scope)]

    def assert_empty(self) -> None:
        """Assert that no state has violations."""
        assert not self._violations, "\n".join(self._violations)
