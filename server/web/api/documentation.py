"""HTTP endpoints of the OpenAPI document, and of a page that shows the document without scripts."""

from collections.abc import Iterable
from functools import cached_property

import msgspec
from aiohttp import web

from server.web.api.docs_page import STYLE_SOURCE, render_page
from server.web.api.endpoints import ApiCall, Endpoint, RawContent
from server.web.api.openapi import build_document

_PAGE_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {STYLE_SOURCE}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}


class DocumentationApi:
    """Endpoints of the documentation.

    Args:
        endpoints: All other endpoints.
        version: Version of the server.

    Attributes:
        endpoints: Declared endpoints, which the document contains too.
    """

    def __init__(self, endpoints: Iterable[Endpoint], version: str) -> None:
        self._version = version
        self.endpoints = (
            Endpoint(
                method="GET",
                path="/api/openapi.json",
                name="getOpenApiDocument",
                summary="Return this description as an OpenAPI document",
                tag="documentation",
                handle=self._send_document,
                credentials="none",
                rate_class=None,
                response=RawContent({"application/json": dict}),
            ),
            Endpoint(
                method="GET",
                path="/api/docs",
                name="getDocumentation",
                summary="Return this description as a page",
                tag="documentation",
                handle=self._send_page,
                credentials="none",
                rate_class=None,
                response=RawContent({"text/html": str}),
            ),
        )
        self._all_endpoints = (*endpoints, *self.endpoints)

    async def _send_document(self, _: ApiCall[None, None]) -> web.Response:
        return web.Response(body=self._document, content_type="application/json")

    async def _send_page(self, _: ApiCall[None, None]) -> web.Response:
        return web.Response(text=self._page, content_type="text/html", headers=_PAGE_HEADERS)

    @cached_property
    def _document(self) -> bytes:
        return msgspec.json.encode(build_document(self._all_endpoints, self._version))

    @cached_property
    def _page(self) -> str:
        return render_page(msgspec.json.decode(self._document))
