"""Security headers of HTTP responses.

- Built-in page: runs scripts of this server only, connects to this server only and cannot be framed, so that injected
  text cannot take effect (W3C Content Security Policy Level 3, Trusted Types).
- Custom pages: trusted, so their responses receive `X-Content-Type-Options`, `Cache-Control` and `Server` only.
- Socket.IO endpoint: serves no documents and carries all chat traffic, so its responses receive `Server` only.
"""

from typing import Final

from aiohttp import typedefs, web

from server.engineio.socketio_server import SOCKETIO_PATH
from server.forwarded import IPNetwork, get_client_info

SERVER_NAME: Final = "chat-server"
"""Value of the `Server` header, without a version, which would reveal known vulnerabilities."""

STATIC_SITE_ROUTE: Final = "static-site"
"""Route name of the operator's custom pages (`server.web.static_site`)."""

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self'",
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
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STATIC_SITE_HEADERS = {"X-Content-Type-Options": "nosniff"}


async def set_server_header(_request: web.Request, response: web.StreamResponse) -> None:
    """Replace the `Server` header of aiohttp, which reveals the version."""
    response.headers["Server"] = SERVER_NAME


def create_security_headers(trusted_networks: tuple[IPNetwork, ...]) -> typedefs.Middleware:
    """Return a middleware that adds the security headers; values set by the handler take precedence.

    Responses without `Cache-Control` receive `no-store`. Raised responses, such as redirects, stay unchanged.
    `Cross-Origin-Opener-Policy` is limited to secure origins, because browsers report an error for other origins.

    Args:
        trusted_networks: Networks of proxies with trusted X-Forwarded-* headers.
    """

    @web.middleware
    async def security_headers(request: web.Request, handler: typedefs.Handler) -> web.StreamResponse:
        response = await handler(request)
        if request.path != SOCKETIO_PATH:
            is_static_site = request.match_info.route.name == STATIC_SITE_ROUTE
            for name, value in (_STATIC_SITE_HEADERS if is_static_site else _DEFAULT_HEADERS).items():
                response.headers.setdefault(name, value)
            if not is_static_site and get_client_info(request, trusted_networks).is_secure_context:
                response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return security_headers
