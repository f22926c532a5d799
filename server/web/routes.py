"""HTTP routes: the browser page, the JavaScript client, liveness and readiness."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from aiohttp import ETag, web

from server.engineio.socketio_server import SOCKETIO_PATH
from server.forwarded import IPNetwork
from server.web.assets import ASSETS_PATH, StaticAsset, load_client_assets, load_page_assets
from server.web.headers import create_security_headers, set_server_header
from server.web.problem_details import create_problem_response, problem_middleware
from server.web.static_site import add_static_site
from tui_chat.protocol import codec, errors

_Handler = Callable[[web.Request], Awaitable[web.Response]]

_SERVICE_NAME = "chat-server"  # in `/health`, by which clients recognize a chat server on a port

# Pages of other origins may load the JavaScript client as from a CDN.
_CROSS_ORIGIN_HEADERS = {"Cross-Origin-Resource-Policy": "cross-origin"}
_IMMUTABLE_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable"}


def add_routes(
    app: web.Application,
    *,
    check_readiness: Callable[[], Awaitable[str | None]],
    get_degradation: Callable[[], str | None] = lambda: None,
    version: str,
    trusted_networks: tuple[IPNetwork, ...] = (),
    pages_directory: Path | None = None,
    pages_fallback: str = "",
) -> None:
    """Add the routes of this module, the security headers and `problem_middleware`.

    `/health` always returns 200. `/ready` returns 200 with the `status` `ready`, or `degraded` with the reason, or 503
    with the problem. The JavaScript client is served below `/socket.io/`. Without `pages_directory`, `/` and
    `/assets/` serve the built-in page, and asset paths of another release are redirected.

    Args:
        app: Application before its start.
        check_readiness: Called for each `GET /ready`. Returns None if the server is ready, otherwise the problem as a
            sentence.
        get_degradation: Returns the reason of a degraded operation of a ready server as a sentence, None without one.
        version: Version of the server.
        trusted_networks: Networks of trusted reverse proxies.
        pages_directory: Directory of custom pages instead of the built-in page.
        pages_fallback: File of the custom pages for unknown paths, empty for none.
    """

    async def get_health(_request: web.Request) -> web.Response:
        return web.json_response(
            {"status": "ok", "service": _SERVICE_NAME, "version": version, "protocol": codec.PROTOCOL_VERSION}
        )

    async def get_readiness(_request: web.Request) -> web.Response:
        problem = await check_readiness()
        if problem is not None:
            return create_problem_response(errors.Unavailable("server_not_ready", problem=problem))
        degradation = get_degradation()
        if degradation is not None:
            return web.json_response({"status": "degraded", "detail": degradation})
        return web.json_response({"status": "ready"})

    app.middlewares.extend((create_security_headers(trusted_networks), problem_middleware))
    app.on_response_prepare.append(set_server_header)
    app.router.add_get("/health", get_health, name="health")
    app.router.add_get("/ready", get_readiness, name="ready")
    for name, asset in load_client_assets().items():
        app.router.add_get(SOCKETIO_PATH + name, _create_asset_handler(asset, _CROSS_ORIGIN_HEADERS))
    if pages_directory is not None:
        add_static_site(app, pages_directory, pages_fallback)
    else:
        handlers = {
            path: _create_asset_handler(asset, _IMMUTABLE_HEADERS if path.startswith(ASSETS_PATH) else {})
            for path, asset in load_page_assets().items()
        }
        for path, handler in handlers.items():
            if not path.startswith(ASSETS_PATH):
                app.router.add_get(path, handler)
        app.router.add_get(ASSETS_PATH + "{hash:[0-9a-f]{12}}/{name:.+}", _create_release_handler(handlers))


def _create_asset_handler(asset: StaticAsset, extra_headers: Mapping[str, str]) -> _Handler:
    """Return a handler that responds with an asset, compressed for clients that accept gzip, or with 304 by its ETag.

    Args:
        asset: File of the response.
        extra_headers: Headers that are added to those of all assets, or replace them.
    """

    async def serve(request: web.Request) -> web.Response:
        gzipped = asset.gzipped if _accepts_gzip(request.headers.get("Accept-Encoding", "")) else None
        etag = asset.etag if gzipped is None else f"{asset.etag}-gzip"
        headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding", **extra_headers}
        if any(tag.value in (etag, "*") for tag in request.if_none_match or ()):
            response = web.Response(status=304, headers=headers)
        else:
            headers["Content-Type"] = asset.content_type
            if gzipped is not None:
                headers["Content-Encoding"] = "gzip"
            response = web.Response(body=gzipped or asset.body, headers=headers)
        response.etag = ETag(etag)
        return response

    return serve


def _create_release_handler(handlers: Mapping[str, _Handler]) -> _Handler:
    """Return a handler of asset paths; paths of another release, from a cached index page, are redirected.

    A file that this release does not have raises `NotFound`. Modules import relative to the path after the redirect, so
    that all modules are of this release.
    """
    paths = {path.split("/", 3)[3]: path for path in handlers if path.startswith(ASSETS_PATH)}

    async def serve_or_redirect(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in paths:
            raise errors.NotFound("path_not_found")
        path = paths[name]
        if request.path == path:
            return await handlers[path](request)
        # Relative, because a reverse proxy may serve the page below another path.
        location = "../" * (name.count("/") + 2) + path[1:]
        return web.Response(status=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": location})

    return serve_or_redirect


def _accepts_gzip(accept_encoding: str) -> bool:
    """Return whether an `Accept-Encoding` header contains gzip with a weight above 0; `*` does not count."""
    for item in accept_encoding.lower().split(","):
        coding, _, weight = item.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
