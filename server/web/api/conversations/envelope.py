"""Envelope of all responses of the conversation dialect.

- Success: `{status: 0, data, message}` with status 200, or 201 for POST.
- Failure: `{status, message, timestamp, path}` with the same HTTP status.
"""

import logging
import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import typedefs, web

from server.clock import read_wall_clock
from server.domain.account_directory import AccountIdentity
from server.gateway.conversations.service import ConversationRejected
from server.gateway.conversations.views import format_time
from server.web.api.authentication import RequestAuthenticator
from server.web.api.conversations.fields import ValidationFailed
from server.web.api.guard import create_json_response
from server.web.problem_details import get_status, is_disconnected
from tui_chat.protocol.errors import ChatError, Unauthorized

log = logging.getLogger("chat.conversations")

AccountHandler = Callable[[web.Request, AccountIdentity], Awaitable[Any]]
"""Handler for the account of a request that returns `data` of a success."""

EndpointHandler = Callable[[web.Request], Awaitable[Any]]
"""Handler that returns `data` of a success."""


def create_endpoint(handler: EndpointHandler) -> typedefs.Handler:
    """Return a request handler that puts results and errors into the envelope.

    Invalid fields have status 400, a `ConversationRejected` 406, other errors their HTTP status and `Retry-After`. The
    message of an `Unauthorized` is always `unauthorized`. An unexpected exception is logged and has status 500; the
    error of a disconnect propagates.
    """

    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            data = await handler(request)
        except ValidationFailed as error:
            return _create_failure(request, HTTPStatus.BAD_REQUEST, error.problems)
        except ConversationRejected as error:
            return _create_failure(request, HTTPStatus.NOT_ACCEPTABLE, str(error))
        except Unauthorized:
            return _create_failure(request, HTTPStatus.UNAUTHORIZED, "unauthorized")
        except ChatError as error:
            response = _create_failure(request, get_status(error), error.message)
            if error.retry_after is not None:
                response.headers["Retry-After"] = str(math.ceil(error.retry_after))
            return response
        except web.HTTPException as error:
            return _create_failure(request, HTTPStatus(error.status), error.reason.lower())
        except Exception as error:
            if isinstance(error, ConnectionError) and is_disconnected(request):
                raise
            resource = request.match_info.route.resource
            path = resource and resource.canonical
            log.exception("request for %s failed, responding with status 500", path)
            return _create_failure(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")
        status = HTTPStatus.CREATED if request.method == "POST" else HTTPStatus.OK
        return create_json_response({"status": 0, "data": data, "message": "success"}, status)

    return serve


def create_account_endpoint(authenticator: RequestAuthenticator, handler: AccountHandler) -> typedefs.Handler:
    """Return a request handler as `create_endpoint`; a request without a valid token has status 401."""

    async def authenticate(request: web.Request) -> Any:
        return await handler(request, await authenticator.authenticate(request))

    return create_endpoint(authenticate)


def _create_failure(request: web.Request, status: HTTPStatus, message: str | list[str]) -> web.Response:
    """Return a failure in the envelope; the message of invalid fields is a list."""
    body = {
        "status": int(status),
        "message": message,
        "timestamp": format_time(read_wall_clock()),
        "path": request.path,
    }
    return create_json_response(body, status)
