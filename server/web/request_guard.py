"""Limits of HTTP requests.

- Rate: requests per address, for every path. Requests of an open session are exempt, because sessions have limits.
- Content coding: compressed request bodies, even in a session, are rejected and never decompressed, because a small
  body can expand to any size.
- Origins: a rejection of a request to the Socket.IO endpoint has the CORS headers, so that pages of allowed origins can
  read the reason.
"""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from aiohttp import typedefs, web

from server.domain.rate_limits import PerAddressLimiter
from server.engineio.socketio_server import SOCKETIO_PATH
from server.forwarded import IPNetwork, get_client_info
from server.web.problem_details import create_http_problem, create_problem_response
from tui_chat.protocol.errors import RateLimited


def create_request_guard(
    requests_per_minute: int | None,
    trusted_networks: tuple[IPNetwork, ...],
    is_session_request: Callable[[web.Request], bool],
    get_cors_headers: Callable[[web.Request], Mapping[str, str]],
) -> typedefs.Middleware:
    """Return a middleware that rejects compressed bodies and, above the rate of the address, requests.

    Any `Content-Encoding` header results in status 415 and closes the connection. A request above the rate receives
    status 429 with `Retry-After`.

    Args:
        requests_per_minute: Maximum rate and burst per address, loopback excepted; None for no limit.
        trusted_networks: Networks of proxies with trusted X-Forwarded-* headers.
        is_session_request: Returns whether a request reaches a session.
        get_cors_headers: Returns the CORS headers of a response of the Socket.IO endpoint.
    """
    limiter = PerAddressLimiter(requests_per_minute) if requests_per_minute is not None else None

    def reject(request: web.Request) -> web.Response | None:
        """Return the response to a rejected request, None for a permitted one."""
        if "Content-Encoding" in request.headers:
            response = create_http_problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            response.force_close()
            return response
        if limiter is not None and not (request.path == SOCKETIO_PATH and is_session_request(request)):
            address = get_client_info(request, trusted_networks).address
            retry_after = limiter.acquire(address, time.monotonic())
            if retry_after:
                return create_problem_response(RateLimited("too_many_requests", retry_after=retry_after))
        return None

    @web.middleware
    async def guard_request(request: web.Request, handler: typedefs.Handler) -> web.StreamResponse:
        rejection = reject(request)
        if rejection is None:
            return await handler(request)
        if request.path == SOCKETIO_PATH:
            rejection.headers.extend(get_cors_headers(request))
        return rejection

    return guard_request
