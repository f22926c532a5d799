"""HTTP requests to a chat server.

- Redirects are errors, so that no credential reaches another host.
- Import time: aiohttp loads in 100 ms; importers load this module on demand.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from tui_chat.client.errors import Unreachable, UnsupportedByServer
from tui_chat.client.net.connect_errors import connect_error, create_ssl_context, sanitize_error
from tui_chat.protocol.codec import ErrorBody
from tui_chat.protocol.errors import DECODE_ERRORS, BadRequest, ChatError

MAX_BODY_BYTES = 1024 * 1024
"""Upper limit of a response body."""


class _Problem(msgspec.Struct):
    """Body of an error response (RFC 9457)."""

    code: str = ""
    detail: str = ""
    reason: str = ""
    params: dict[str, str | int | float] | None = None


async def send_http(
    url: str,
    method: str,
    path: str,
    *,
    body: object = None,
    authorization: str | None = None,
    ca_file: str | None = None,
    timeout: float,
) -> bytes:
    """Send a request and return the body of the response, possibly empty.

    Args:
        url: Base URL of the server.
        method: HTTP method.
        path: Path with a leading slash.
        body: JSON-compatible object, None for a request without a body.
        authorization: Value of the header `Authorization`, None without one.
        ca_file: PEM file with trusted certificates, None for the system's.
        timeout: Total time limit in seconds.

    Raises:
        ChatError: The server rejected the request.
        BadRequest: A text of the body contains a lone surrogate; nothing was sent.
        UnsupportedByServer: The server has no such path.
        Unreachable: The request failed, or its outcome is unknown.
    """
    options: dict[str, Any] = {"headers": {"Accept": "application/json"}}
    if body is not None:
        options["headers"]["Content-Type"] = "application/json"
        try:
            options["data"] = msgspec.json.encode(body)
        except UnicodeEncodeError:
            raise BadRequest("text_unencodable") from None
    request = open_response(
        *(url, method, path), authorization=authorization, ca_file=ca_file, timeout=timeout, **options
    )
    try:
        async with request as response:
            return await read_limited(response)
    except OSError as error:
        raise connect_error(error) from None


@asynccontextmanager
async def open_response(
    url: str,
    method: str,
    path: str,
    *,
    authorization: str | None,
    ca_file: str | None,
    timeout: float,
    unsupported_reason: str = "accounts_unsupported",
    headers: Mapping[str, str],
    data: object = None,
) -> AsyncGenerator[aiohttp.ClientResponse]:
    """Send a request, and yield the response of a success; further arguments and exceptions as for `send_http`.

    Errors of aiohttp and timeouts within the context are converted too; an `OSError` propagates.

    Args:
        unsupported_reason: Reason of the error of a server without such a path.
        headers: Headers besides `Authorization`.
        data: Body of the request as for aiohttp, None without one.
    """
    if authorization is not None:
        headers = {**headers, "Authorization": authorization}
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=create_ssl_context(url, ca_file)),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as session,
            session.request(method, url + path, headers=headers, data=data, allow_redirects=False) as response,
        ):
            if response.status >= 300:
                raise _to_error(response, await read_limited(response), unsupported_reason)
            yield response
    except TimeoutError:
        raise Unreachable("server_silent") from None
    except aiohttp.ClientError as error:
        raise connect_error(error) from None


async def read_limited(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a response; errors of the connection propagate.

    Raises:
        Unreachable: The body has more than `MAX_BODY_BYTES`; the rest is not read.
    """
    content = b""
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise Unreachable("not_chat_server")
    return content


def _to_error(response: aiohttp.ClientResponse, content: bytes, unsupported_reason: str) -> ChatError:
    """Return the sanitized error of a response with a status above 299.

    `UnsupportedByServer` with `unsupported_reason` for a status 404 without a reason, `Unreachable` for any other body
    without a code. `Retry-After` is used if it is a number of seconds.
    """
    try:
        problem = msgspec.json.decode(content, type=_Problem)
    except DECODE_ERRORS:
        problem = _Problem()
    if response.status == 404 and not problem.reason:
        return UnsupportedByServer(unsupported_reason)
    if not problem.code:
        return Unreachable("http_status_unexpected", status=response.status)
    retry_after = response.headers.get("Retry-After", "")
    seconds = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
    return sanitize_error(ErrorBody(problem.code, problem.detail, problem.reason, problem.params, seconds).to_error())
