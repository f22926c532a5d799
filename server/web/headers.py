"""The headers that every HTTP response of ours carries.

The page runs no script but its own files, talks to no other host and cannot be
framed; nothing that a person writes can change that (W3C Content Security
Policy Level 3, Trusted Types). Pages of the operator's own are trusted as they
are: they only get what every answer needs. The Socket.IO endpoint is left alone:
it answers no documents, and is where all the traffic is.
"""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

SOCKETIO_PATH: Final = "/socket.io/"
"""Here the gateway answers, and the middlewares of this package pass it through. What is below are files."""

STATIC_SITE_ROUTE: Final = "own-pages"
"""The name of the route to a folder of the operator's own pages (`server.web.static_site`)."""

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",  # same-origin WebSockets are 'self' too (CSP Level 3, section 6.7.2.8)
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

_DEFAULT_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "Server": "chat-server",
    "X-Content-Type-Options": "nosniff",
}
_STATIC_SITE_HEADERS = {name: _DEFAULT_HEADERS[name] for name in ("Server", "X-Content-Type-Options")}


@web.middleware
async def security_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Puts the headers on whatever the handler gives; one that it set itself stays.

    What may be kept by a cache says so itself; the rest is not to be stored.
    """
    response = await handler(request)
    if request.path != SOCKETIO_PATH:
        headers = _STATIC_SITE_HEADERS if request.match_info.route.name == STATIC_SITE_ROUTE else _DEFAULT_HEADERS
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
    return response
