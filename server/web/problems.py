"""Every HTTP error leaves as `application/problem+json` (RFC 9457) with the wire's codes."""

import logging
import math
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from server.protocol.errors import ChatError, InternalError
from server.web.headers import SOCKET_PATH

_log = logging.getLogger(__name__)

_STATUS: Final = {
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

_CODE: Final = {
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_long",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limited",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
}
"""What aiohttp refuses itself; any other 4xx is `bad_request`, any other 5xx `internal`."""

_DETAIL: Final = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not take that method",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the request is too large",
}


def problem_response(error: ChatError) -> web.Response:
    """The response that tells the error, with `Retry-After` (whole seconds) where it has one."""
    status = _STATUS[error.code]
    response = _problem(status, error.code, error.message)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    return response


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler or aiohttp raises into a problem; a fault of ours is logged once."""
    if request.path == SOCKET_PATH:
        return await handler(request)
    try:
        return await handler(request)
    except ChatError as error:
        return problem_response(error)
    except web.HTTPException as refusal:
        if refusal.status < HTTPStatus.BAD_REQUEST:
            raise
        response = _refused(HTTPStatus(refusal.status))
        if isinstance(refusal, web.HTTPMethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(refusal.allowed_methods))
        return response
    except Exception:
        _log.exception("a request for %s failed", request.match_info.route.name or "an unnamed route")
        return problem_response(InternalError("the server made a mistake"))


def _refused(status: HTTPStatus) -> web.Response:
    fallback = "internal" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request"
    return _problem(status, _CODE.get(status, fallback), _DETAIL.get(status, status.phrase))


def _problem(status: HTTPStatus, code: str, detail: str) -> web.Response:
    body = msgspec.json.encode(
        {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail, "code": code}
    )
    return web.Response(body=body, status=status, content_type="application/problem+json")
