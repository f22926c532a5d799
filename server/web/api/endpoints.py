"""Declaration of HTTP endpoints: credentials, rate, parameters, body, response and problems.

- One declaration per endpoint validates its requests, encodes its responses, and describes it in the OpenAPI document.
- Order of the checks: credentials, rate, parameters, body. The rate class `messages` is acquired after the body, whose
  size counts.
- Responses of an endpoint with a rate class have the headers `RateLimit-Policy` and `RateLimit`
  (draft-ietf-httpapi-ratelimit-headers-10).
"""

import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from server.domain.account_directory import AccountIdentity
from server.domain.rate_limits import Quota
from server.gateway.caller_limits import CallerLimits
from server.gateway.http_callers import HttpCaller
from server.web.api.authentication import RequestAuthenticator
from server.web.api.guard import MAX_BODY_BYTES, create_json_response, read_json
from server.web.problem_details import create_problem_response
from tui_chat.protocol import codec, errors

ParametersT = TypeVar("ParametersT")
BodyT = TypeVar("BodyT")

Credentials = Literal["none", "guest", "signature", "reader", "person", "account"]
"""Credentials of an endpoint.

- `none`: no credentials.
- `guest`: optionally a guest key, which the handler verifies.
- `signature`: a signed URL, a token or a guest key, which the handler verifies.
- `reader`: a token or a guest key, or none if the server accepts guests.
- `person`: a token or a guest key.
- `account`: a token.
"""

COMMON_PROBLEMS = (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
"""Statuses of problems of all endpoints: a page of a foreign origin, a rate limit, and a failure of the database."""

_MESSAGE_RATE = "messages"


class RawContent(Struct, frozen=True):
    """Body or response whose handler reads or writes the bytes.

    Attributes:
        types: Types of the content by media type; `bytes` for content without a structure.
    """

    types: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ApiCall(Generic[ParametersT, BodyT]):
    """Validated request.

    Attributes:
        request: HTTP request.
        caller: Sender of the request; with an empty member id if no credentials were verified.
        parameters: Parameters of path, query and headers; None for an endpoint without parameters.
        body: Body; None for an endpoint without one, or with a `RawContent`.
    """

    request: web.Request
    caller: HttpCaller
    parameters: ParametersT
    body: BodyT

    @property
    def account(self) -> AccountIdentity:
        """Account of the caller, for an endpoint that requires one."""
        assert self.caller.account is not None
        return self.caller.account


class Endpoint(Struct, frozen=True, kw_only=True):
    """Endpoint of one method and path.

    Attributes:
        method: HTTP method.
        path: Path with parameters in braces, in the syntax of aiohttp.
        name: Unique name of the operation, in camel case.
        summary: Imperative sentence without a period.
        tag: Group of the operation in the documentation.
        handle: Returns the content of the response, or a complete response; raises a `ChatError` for a problem.
        credentials: Required credentials.
        rate_class: Rate of the caller (`server.gateway.request_limits`), None for a rate of the handler.
        parameters: Struct of the parameters; None without parameters. A field whose name is in the braces of the path
            is part of the path, one with a hyphen is a header, and any other one is part of the query.
        body: Struct of the JSON body; None without a body.
        max_body_bytes: Maximum size of a JSON body.
        response: Type of the JSON response; None for a response without content.
        status: Status of a success.
        other_statuses: Further statuses of complete responses, other than problems.
        problems: Statuses of the problems, besides `COMMON_PROBLEMS` and the problems of parameters, body and
            credentials.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    name: str
    summary: str
    tag: str
    handle: Callable[[ApiCall[Any, Any]], Awaitable[Any]]
    credentials: Credentials = "person"
    rate_class: str | None = "default"
    parameters: type[Struct] | None = None
    body: type[Struct] | RawContent | None = None
    max_body_bytes: int = MAX_BODY_BYTES
    response: Any = None
    status: HTTPStatus = HTTPStatus.OK
    other_statuses: tuple[HTTPStatus, ...] = ()
    problems: tuple[HTTPStatus, ...] = ()

    def locate_parameter(self, name: str) -> Literal["path", "header", "query"]:
        """Return `path` for a name in braces of the path, `header` for a name with a hyphen, otherwise `query`."""
        return "path" if f"{{{name}}}" in self.path else "header" if "-" in name else "query"

    def list_problems(self) -> list[HTTPStatus]:
        """Return the statuses of all problems, each once, in ascending order."""
        statuses = {*COMMON_PROBLEMS, *self.problems}
        if self.parameters is not None or self.body is not None:
            statuses.add(HTTPStatus.BAD_REQUEST)
        if self.body is not None:
            statuses |= {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
            statuses.add(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if self.credentials != "none":
            statuses.add(HTTPStatus.UNAUTHORIZED)
        return sorted(statuses)


class EndpointRouter:
    """Handlers of declared endpoints.

    Args:
        endpoints: Endpoints with distinct methods and paths.
        authenticator: Verifier of credentials.
        limits: Rate limits of the callers.
    """

    def __init__(
        self, endpoints: Iterable[Endpoint], authenticator: RequestAuthenticator, limits: CallerLimits
    ) -> None:
        self._endpoints = tuple(endpoints)
        self._authenticator = authenticator
        self._limits = limits

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints (`HttpApi.add_routes`); `GET` includes `HEAD`."""
        for endpoint in self._endpoints:
            handler = self._create_handler(endpoint)
            if endpoint.method == "GET":
                app.router.add_get(endpoint.path, handler, name=endpoint.name)
            else:
                app.router.add_route(endpoint.method, endpoint.path, handler, name=endpoint.name)

    def _create_handler(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return a handler that responds to requests of one endpoint, and adds the headers of its rate limit, if any.

        A `ChatError` of the endpoint becomes a problem response with these headers. Errors of `_identify` and other
        exceptions propagate. A response that has begun stays unchanged.
        """

        async def handle(request: web.Request) -> web.StreamResponse:
            caller = await self._identify(request, endpoint)
            try:
                response = await self._respond(request, caller, endpoint)
            except errors.ChatError as error:
                response = create_problem_response(error)
            if endpoint.rate_class is not None and not response.prepared:
                quota = self._limits.get_quota(caller, endpoint.rate_class)
                if quota is not None:
                    _add_quota(response, endpoint.rate_class, quota)
            return response

        return handle

    async def _identify(self, request: web.Request, endpoint: Endpoint) -> HttpCaller:
        """Return the caller of a request; the member id is empty without credentials, or if the handler verifies them.

        Raises:
            Unauthorized: The required credentials are missing or invalid.
            Unavailable: The token cannot be read.
        """
        if endpoint.credentials in ("reader", "person"):
            return await self._authenticator.identify(request, is_optional=endpoint.credentials == "reader")
        address = self._authenticator.get_client(request).address
        if endpoint.credentials != "account":
            return HttpCaller(address=address, member_id="")
        account = await self._authenticator.authenticate(request)
        return HttpCaller(address=address, member_id=account.member_id, account=account)

    async def _respond(self, request: web.Request, caller: HttpCaller, endpoint: Endpoint) -> web.StreamResponse:
        """Acquire the rate, read parameters and a body other than `RawContent`, and return the response of the handler.

        Raises:
            ChatError: A rate is exceeded, a parameter or the body is invalid, or the handler rejects the request.
        """
        rate_class = endpoint.rate_class
        if rate_class is not None and rate_class != _MESSAGE_RATE:
            self._limits.acquire(caller, rate_class, 0)
        parameters = None if endpoint.parameters is None else _read_parameters(request, endpoint, endpoint.parameters)
        body: Any = None
        if isinstance(endpoint.body, type):
            body = await read_json(request, endpoint.body, endpoint.max_body_bytes)
        if rate_class == _MESSAGE_RATE:
            self._limits.acquire(caller, rate_class, request.content.total_bytes)
        content = await endpoint.handle(ApiCall(request, caller, parameters, body))
        if isinstance(content, web.StreamResponse):
            return content
        if endpoint.response is None:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        return create_json_response(content, endpoint.status)


def _read_parameters(request: web.Request, endpoint: Endpoint, parameters_type: type[Struct]) -> Struct:
    """Return the parameters, converted from text to the types of the fields and validated.

    The first value of a repeated parameter counts, and unknown parameters are ignored. A header may be a quoted string
    (RFC 9651), as in draft-ietf-httpapi-idempotency-key-header.

    Raises:
        ChatError: A parameter is invalid, or a required one is missing.
    """
    sources = {"path": request.match_info, "header": request.headers, "query": request.query}
    values: dict[str, str] = {}
    for field in msgspec.structs.fields(parameters_type):
        location = endpoint.locate_parameter(field.encode_name)
        value = sources[location].get(field.encode_name)
        if value is not None:
            values[field.encode_name] = value.strip('"') if location == "header" else value
    try:
        return msgspec.convert(values, parameters_type, strict=False)
    except msgspec.ValidationError as error:
        raise codec.to_bad_request(error) from None
    except UnicodeEncodeError:  # aiohttp decodes invalid UTF-8 in a header to lone surrogates
        raise errors.BadRequest("field_invalid", problem="Invalid UTF-8") from None


def _add_quota(response: web.StreamResponse, rate_class: str, quota: Quota) -> None:
    response.headers["RateLimit-Policy"] = f'"{rate_class}";q={quota.limit};w={math.ceil(quota.window)}'
    response.headers["RateLimit"] = f'"{rate_class}";r={quota.remaining};t={math.ceil(quota.reset)}'
