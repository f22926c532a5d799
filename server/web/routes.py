"""What the server answers over plain HTTP: the page, and whether it is alive and able."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import ETag, web

from server.protocol.errors import Unavailable
from server.protocol.version import PROTOCOL_VERSION
from server.web.files import PAGE, PageFile, client_files, page_files
from server.web.headers import SOCKET_PATH, security_headers
from server.web.own_pages import add_own_pages
from server.web.problems import problem_response, problems

SERVICE = "chat-server"
"""What `/health` calls itself: a client sees by it what holds a port."""

_FOR_ANY_PAGE = {"Cross-Origin-Resource-Policy": "cross-origin"}
"""Pages of other origins may take the client from here, as they may from a CDN."""
_FOR_GOOD: Mapping[str, str] = {"Cache-Control": "public, max-age=31536000, immutable"}
_NOTHING_MORE: Mapping[str, str] = {}


def add_routes(
    app: web.Application, *, ready: Callable[[], Awaitable[str | None]], version: str, pages: Path | None = None
) -> None:
    """Adds the page, the client for other pages, `/health` and `/ready`, and the middlewares that all HTTP shares.

    Args:
        app: Not yet frozen. What it answers at `/socket.io/` stays untouched.
        ready: None while the server can take messages, else the reason in one
            sentence for the operator. Asked at every `GET /ready`.
        version: The server's own version.
        pages: A folder of pages to serve in place of the built-in one.
    """

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "service": SERVICE, "version": version, "protocol": PROTOCOL_VERSION})

    async def readiness(_request: web.Request) -> web.Response:
        reason = await ready()
        return web.json_response({"status": "ready"}) if reason is None else problem_response(Unavailable(reason))

    app.middlewares.extend((security_headers, problems))
    app.router.add_get("/health", health, name="health")
    app.router.add_get("/ready", readiness, name="ready")
    for name, file in client_files().items():
        app.router.add_get(SOCKET_PATH + name, _serving(file, _FOR_ANY_PAGE))
    if pages is not None:
        add_own_pages(app, pages)
        return
    for path, file in page_files().items():
        app.router.add_get(path, _serving(file, _NOTHING_MORE if path == PAGE else _FOR_GOOD))


def _serving(
    file: PageFile, more: Mapping[str, str] = _NOTHING_MORE
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        gzipped = file.gzipped if _takes_gzip(request.headers.get("Accept-Encoding", "")) else None
        coded = gzipped or file.plain
        # What changes under its path is asked for each time, and mostly answered with 304.
        headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding", **more}
        if any(tag.value in (coded.etag, "*") for tag in request.if_none_match or ()):
            response = web.Response(status=304, headers=headers)
        else:
            if gzipped is not None:
                headers["Content-Encoding"] = "gzip"
            response = web.Response(body=coded.body, headers=headers, content_type=file.content_type, charset="utf-8")
        response.etag = ETag(coded.etag)
        return response

    return serve


def _takes_gzip(accept_encoding: str) -> bool:
    for choice in accept_encoding.lower().split(","):
        coding, _, weight = choice.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
