"""Test vectors against the modules of the page, in Node.js and in Chromium; one run of all files per runtime."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route

from server.app import RunningServer
from tests.support.browser import Browser
from tests.support.page_modules import copy_page_modules
from tests.support.requirements import require_node
from tests.support.vectors import VECTORS_DIRECTORY, load_vectors, vector_names

RUNNER = VECTORS_DIRECTORY / "run_vectors.mjs"
EXPECTED_REPORT: dict[str, Any] = {
    name: {"cases": len(load_vectors(name)["cases"]), "failed": []} for name in vector_names()
}

RUN_IN_PAGE = """async (files) => {
    const { runVectors } = await import("/modules/run_vectors.mjs");
    return JSON.stringify(await runVectors((module) => import(`/modules/${module}.js`), JSON.parse(files)));
}"""


@pytest.mark.needs_node
def test_the_page_modules_match_the_vectors_in_node(tmp_path: Path) -> None:
    files = [str(VECTORS_DIRECTORY / f"{name}.json") for name in vector_names()]
    result = subprocess.run(
        [require_node(), str(VECTORS_DIRECTORY / "run_in_node.mjs"), str(copy_page_modules(tmp_path)), *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert result.stderr == ""
    assert json.loads(result.stdout) == EXPECTED_REPORT


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.needs_chromium
async def test_the_page_modules_match_the_vectors_in_chromium(
    browser: Browser, server: RunningServer, tmp_path: Path
) -> None:
    files = {name: load_vectors(name) for name in vector_names()}
    modules = copy_page_modules(tmp_path / "modules")
    shutil.copy(RUNNER, modules)

    async def serve_module(route: Route) -> None:
        await route.fulfill(content_type="text/javascript", path=modules / route.request.url.partition("/modules/")[2])

    tab = await browser.open_tab()
    await tab.page.route("**/modules/**", serve_module)
    await tab.page.goto(server.url)
    report: Any = json.loads(await tab.page.evaluate(RUN_IN_PAGE, json.dumps(files)))
    assert report == EXPECTED_REPORT
    assert tab.console_errors == []
