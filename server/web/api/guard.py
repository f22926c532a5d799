"""Origin check, CORS headers and request bodies of `/api/`.

- Origins: the rules are those of the Socket.IO endpoint (docs/protocol.md, "Connection"). Pages of the origin of
  the server and of allowed origins may call the endpoints; requests of other pages are rejected. Credentials are
  headers, never cookies, so no page can use the credentials of another.
- Bodies: JSON objects of at most `MAX_BODY_BYTES` by default, complete within `BODY_TIMEOUT`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec
from aiohttp import typedefs, web

from server.observability.rejection_log import RejectionLog
from server.web.problem_details import create_problem_response
from tui_chat.protocol import codec, errors

API_PATH = "/api/"

MAX_BODY_BYTES = 16 * 1024

BODY_TIMEOUT = 10.0
"""Maximum duration of the read of a body in seconds."""

GetCorsHeaders = Callable[[web.Request], Mapping[str, str]]
"""Function that returns the CORS headers of a response."""

_METHODS = "OPTIONS, HEAD, GET, POST, PATCH, DELETE"
_EXPOSED_HEADERS = "Content-Disposition, RateLimit, RateLimit-Policy, Retry-After"

BodyT = TypeVar("BodyT")


def create_api_guard(get_cors_headers: GetCorsHeaders) -> typedefs.Middleware:
    """Return a middleware that rejects requests of other origins below `API_PATH`, and answers `OPTIONS` requests.

    A rejection has status 403 and logs a hint, once per origin (`RejectionLog`). `OPTIONS` requests receive an empty
    response with status 204, even for an unknown path. Requests to other paths pass.

    Args:
        get_cors_headers: Returns the CORS headers of a response; empty only for an origin that is not allowed.
    """
    rejection_log = RejectionLog()

    @web.middleware
    async def guard_api(request: web.Request, handler: typedefs.Handler) -> web.StreamResponse:
        if not request.path.startswith(API_PATH):
            return await handler(request)
        if not get_cors_headers(request):
            rejection_log.log_rejected_origin(request.headers["Origin"])
            return create_problem_response(errors.Forbidden("origin_not_allowed"))
        if request.method == "OPTIONS":
            return web.Response(status=HTTPStatus.NO_CONTENT)
        return await handler(request)

    return guard_api


def create_cors_handler(
    get_cors_headers: GetCorsHeaders,
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return a handler of `on_response_prepare` that adds the CORS headers to all responses below `API_PATH`.

    Responses to `OPTIONS` list all methods of the API, other responses to an allowed origin the headers that the page
    may read.

    Args:
        get_cors_headers: As in `create_api_guard`.
    """

    async def add_cors_headers(request: web.Request, response: web.StreamResponse) -> None:
        if not request.path.startswith(API_PATH):
            return
        headers = dict(get_cors_headers(request))
        if request.method == "OPTIONS" and headers:
            headers["Access-Control-Allow-Methods"] = _METHODS
        elif "Access-Control-Allow-Origin" in headers:
            headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
        response.headers.extend(headers)

    return add_cors_headers


async def read_json(request: web.Request, body_type: type[BodyT], max_bytes: int = MAX_BODY_BYTES) -> BodyT:
    """Read and validate a JSON body; top-level fields with the value null count as absent.

    Args:
        request: Request with an unread body.
        body_type: Type that msgspec validates, usually a `Struct`.
        max_bytes: Maximum size of the body.

    Raises:
        BadRequest: The content type is not `application/json`, or the body is malformed or not of the type.
        TooLong: The body is too large.
        web.HTTPRequestTimeout: The body is not complete within `BODY_TIMEOUT`.
    """
    if request.content_type != "application/json":
        raise errors.BadRequest("json_required")
    body = await read_body(request, max_bytes)
    try:
        return msgspec.convert(codec.drop_nulls(msgspec.json.decode(body)), body_type)
    except errors.DECODE_ERRORS as error:
        raise codec.to_bad_request(error) from None


async def read_body(request: web.Request, max_bytes: int) -> bytes:
    """Read the body of a request, empty without one.

    Raises:
        TooLong: The body has more than `max_bytes`.
        web.HTTPRequestTimeout: The body is not complete within `BODY_TIMEOUT`.
    """
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            body = await request.content.readexactly(max_bytes + 1)
    except asyncio.IncompleteReadError as error:
        body = error.partial
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    if len(body) > max_bytes:
        raise errors.TooLong("body_too_long", limit=max_bytes)
    return body


def create_json_response(body: object, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return a response with a JSON body, encoded by msgspec."""
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")
