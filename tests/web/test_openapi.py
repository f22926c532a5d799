"""OpenAPI document and its page."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import expect

from tests.support.account_api import account_api
from tests.support.browser import Browser
from tests.support.in_process_server import running_server


async def test_the_document_contains_each_route_below_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apps: list[web.Application] = []
    create_runner = web.AppRunner

    def record_app(app: web.Application, **options: Any) -> web.AppRunner:
        apps.append(app)
        return create_runner(app, **options)

    monkeypatch.setattr(web, "AppRunner", record_app)
    async with running_server(tmp_path) as server, account_api(server.url) as client:
        document = (await client.request("GET", "/api/openapi.json")).body
    documented = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    routed = {
        (route.method, route.resource.canonical)
        for route in apps[0].router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/") and route.method != "HEAD"
    }
    assert documented == routed
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(schema["description"] for schema in document["components"]["schemas"].values())


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.needs_chromium
async def test_the_page_shows_the_document_without_violations_of_its_content_security_policy(
    tmp_path: Path, browser: Browser
) -> None:
    async with running_server(tmp_path) as server:
        tab = await browser.open_tab()
        await tab.page.goto(f"{server.url}/api/docs")
        await tab.page.click("nav a[href='#sendMessage']")
        await tab.page.click("#sendMessage a[href='#type-MessageBody']")
        await expect(tab.page).to_have_url(f"{server.url}/api/docs#type-MessageBody")
        assert await tab.page.evaluate("getComputedStyle(document.querySelector('nav')).position") == "sticky"
        assert tab.console_errors == []
