"""HTTP errors as `application/problem+json` (RFC 9457) with the error codes of the protocol."""

import logging
import math
from http import HTTPStatus
from typing import Final, Literal

import msgspec
from aiohttp import typedefs, web
from msgspec import Struct

from server.engineio.socketio_server import SOCKETIO_PATH
from tui_chat.protocol.errors import ChatError, InternalError

PROBLEM_TYPE: Final = "application/problem+json"

_TYPE: Final = "about:blank"  # the `reason` identifies the problem

log = logging.getLogger("chat.web")

_STATUS_BY_CODE: Final = {
    "bad_request": HTTPStatus.BAD_REQUEST,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "not_joined": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "nick_invalid": HTTPStatus.BAD_REQUEST,
    "room_invalid": HTTPStatus.BAD_REQUEST,
    "too_long": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "conflict": HTTPStatus.CONFLICT,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
}

_STATUS_BY_REASON: Final = {"json_required": HTTPStatus.UNSUPPORTED_MEDIA_TYPE}  # exceptions to `_STATUS_BY_CODE`

_CODE_BY_STATUS: Final = {  # of aiohttp's own errors; the default is `bad_request` for 4xx and `internal` for 5xx
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_long",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limited",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
}

_DETAIL_BY_STATUS: Final = {
    HTTPStatus.NOT_FOUND: "no resource at this path",
    HTTPStatus.METHOD_NOT_ALLOWED: "method not allowed for this path",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request body too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "compressed request bodies are not supported",
}

_NOT_FOUND_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Page not found</title>
<main>
<h1>Page not found · <span lang="zh-CN">找不到页面</span></h1>
<p><a href="{start}">Open the chat · <span lang="zh-CN">打开聊天</span></a></p>
</main>
</html>
"""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Problem (RFC 9457).

    Attributes:
        type: Always `about:blank`; `reason` is the type of the problem.
        title: Phrase of the status.
        status: HTTP status.
        detail: English message for logs.
        code: Code of the error (docs/protocol.md, "Errors").
        reason: Reason of the error; absent for an error of HTTP alone, such as an unknown path.
        params: Values of the reason.
        retry_after: Seconds until a retry may succeed.
    """

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str
    code: str
    reason: str | None = None
    params: dict[str, str | int | float] | None = None
    retry_after: float | None = None


def is_disconnected(request: web.Request) -> bool:
    """Return whether the connection of a request is closed or closing."""
    return request.transport is None or request.transport.is_closing()


def get_status(error: ChatError) -> HTTPStatus:
    """Return the HTTP status of an error."""
    return _STATUS_BY_REASON.get(error.reason) or _STATUS_BY_CODE[error.code]


def create_problem_response(error: ChatError) -> web.Response:
    """Return the problem response of an error; `Retry-After` is `retry_after`, if any, rounded up to whole seconds."""
    status = get_status(error)
    response = _encode_problem(
        Problem(
            type=_TYPE,
            title=status.phrase,
            status=int(status),
            detail=error.message,
            code=error.code,
            reason=error.reason,
            params=dict(error.params) or None,
            retry_after=error.retry_after,
        )
    )
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    return response


def create_http_problem(status: HTTPStatus) -> web.Response:
    """Return the problem response of an HTTP error outside the protocol, without a `reason`."""
    code = _CODE_BY_STATUS.get(status, "internal" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request")
    detail = _DETAIL_BY_STATUS.get(status, status.phrase)
    return _encode_problem(Problem(type=_TYPE, title=status.phrase, status=int(status), detail=detail, code=code))


@web.middleware
async def problem_middleware(request: web.Request, handler: typedefs.Handler) -> web.StreamResponse:
    """Convert raised exceptions into problem responses; log unexpected ones, except a disconnect of the client.

    Redirects and requests to the Socket.IO endpoint pass unchanged. An unexpected exception has status 500 without
    details. A raised 404 becomes an HTML page for clients that accept `text/html`. Of the headers of an error of
    aiohttp, only `Allow` is kept.
    """
    if request.path == SOCKETIO_PATH:
        return await handler(request)
    try:
        return await handler(request)
    except ChatError as error:
        response = create_problem_response(error)
    except web.HTTPException as http_error:
        if http_error.status < HTTPStatus.BAD_REQUEST:
            raise
        response = create_http_problem(HTTPStatus(http_error.status))
        if isinstance(http_error, web.HTTPMethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(http_error.allowed_methods))
    except Exception as error:
        if isinstance(error, ConnectionError) and is_disconnected(request):
            return create_http_problem(HTTPStatus.BAD_REQUEST)  # not sent
        log.exception(
            "request for route %s failed, responding with status 500", request.match_info.route.name or "(unnamed)"
        )
        return create_problem_response(InternalError("internal_error"))
    if response.status == HTTPStatus.NOT_FOUND and "text/html" in request.headers.get("Accept", ""):
        return _create_not_found_page(request)
    return response


def _create_not_found_page(request: web.Request) -> web.Response:
    """Return the 404 response of a browser, with a relative link to the page, which a proxy may serve below a path."""
    parents = "../" * (request.rel_url.raw_path.count("/") - 1)
    body = _NOT_FOUND_PAGE.replace("{start}", f"./{parents}")
    return web.Response(text=body, status=HTTPStatus.NOT_FOUND, content_type="text/html", headers={"Vary": "Accept"})


def _encode_problem(problem: Problem) -> web.Response:
    return web.Response(body=msgspec.json.encode(problem), status=problem.status, content_type=PROBLEM_TYPE)
