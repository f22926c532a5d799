"""Security headers of HTTP responses.

The built-in page runs only its own scripts, connects only to its own server and cannot be framed,
so that injected text cannot take effect (W3C Content Security Policy Level 3, Trusted Types).
Custom pages are trusted, so their responses receive no policy headers: only
`X-Content-Type-Options` and, if missing, `Cache-Control`. The Socket.IO endpoint serves no documents
and carries all chat traffic, so its responses receive no header but `Server`.
"""

from typing import Final

from aiohttp import typedefs, web

SOCKETIO_PATH: Final = "/socket.io/"
"""Path of the Socket.IO endpoint, exempt from `security_headers` and `problem_middleware`.

Assets below this path are not exempt.
"""

SERVER_NAME: Final = "chat-server"
"""Value of the `Server` header, without a version, which would tell attackers about known faults."""

STATIC_SITE_ROUTE: Final = "static-site"
"""Route name of the operator's custom pages (`server.web.static_site`)."""

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",  # includes same-origin WebSockets (CSP Level 3, section 6.7.2.8)
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
    "X-Content-Type-Options": "nosniff",
}
_STATIC_SITE_HEADERS = {"X-Content-Type-Options": "nosniff"}


async def set_server_header(_request: web.Request, response: web.StreamResponse) -> None:
    """Set the `Server` header of a response, in place of that of aiohttp with its version."""
    response.headers["Server"] = SERVER_NAME


@web.middleware
async def security_headers(request: web.Request, handler: typedefs.Handler) -> web.StreamResponse:
    """Add the security headers to a response; values set by the handler take precedence.

    Responses without `Cache-Control` receive `no-store`. Responses of the Socket.IO endpoint and raised redirects stay
    unchanged.
    """
    response = await handler(request)
    if request.path != SOCKETIO_PATH:
        is_static_site = request.match_info.route.name == STATIC_SITE_ROUTE
        for name, value in (_STATIC_SITE_HEADERS if is_static_site else _DEFAULT_HEADERS).items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
    return response
