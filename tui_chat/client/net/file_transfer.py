"""Streamed uploads and downloads over HTTP.

- Redirects are errors, so that no credential reaches another host.
- Import time: aiohttp loads in 100 ms; importers load this module on demand.
"""

import asyncio
import itertools
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tui_chat.client.errors import Unreachable
from tui_chat.client.net.connect_errors import connect_error, create_ssl_context
from tui_chat.client.net.http_request import read_limited, to_error

_CHUNK_BYTES = 64 * 1024
_MAX_NAME_BYTES = 200  # below the limit of file systems, with room for a number


async def upload(
    url: str,
    path: str,
    file: Path,
    *,
    authorization: str | None,
    ca_file: str | None,
    on_progress: Callable[[int], None] | None,
    timeout: float,
) -> bytes:
    """Send a file as the body of a POST request, and return the body of the response.

    Args:
        url: Base URL of the server.
        path: Path with a leading slash and a query.
        file: Local file.
        authorization: Value of the header `Authorization`, None without one.
        ca_file: PEM file with trusted certificates, None for the system's.
        on_progress: Called with the number of sent bytes so far.
        timeout: Total time limit in seconds.

    Raises:
        ChatError: The server rejected the request, or the request failed.
        OSError: The file is not readable.
    """
    with file.open("rb") as content:
        size = os.fstat(content.fileno()).st_size
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}

        async def read_chunks() -> AsyncIterator[bytes]:
            sent = 0
            while chunk := await asyncio.to_thread(content.read, _CHUNK_BYTES):
                yield chunk
                sent += len(chunk)
                if on_progress is not None:
                    on_progress(sent)

        request = _request(
            *("POST", url, path),
            authorization=authorization,
            ca_file=ca_file,
            timeout=timeout,
            headers=headers,
            data=read_chunks(),
        )
        async with request as response:
            return await read_limited(response)


async def download(
    url: str,
    path: str,
    target: Path,
    name: str,
    *,
    authorization: str | None,
    ca_file: str | None,
    on_progress: Callable[[int], None] | None,
    timeout: float,
) -> Path:
    """Receive a file with mode 0600; further arguments and exceptions as for `upload`.

    Args:
        target: New file, or an existing directory.
        name: Name of a file in the directory.

    Raises:
        FileExistsError: The target is an existing file.
    """
    temporary = await asyncio.to_thread(_create_temporary, target)
    try:
        with await asyncio.to_thread(temporary.open, "wb") as content:
            received = 0
            request = _request("GET", url, path, authorization=authorization, ca_file=ca_file, timeout=timeout)
            async with request as response:
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    await asyncio.to_thread(content.write, chunk)
                    received += len(chunk)
                    if on_progress is not None:
                        on_progress(received)
        return await asyncio.to_thread(_publish, temporary, target, name)
    finally:
        await asyncio.to_thread(temporary.unlink, missing_ok=True)


def _create_temporary(target: Path) -> Path:
    """Create an empty file with mode 0600 in the directory of a target."""
    descriptor, name = tempfile.mkstemp(prefix=".chat-tui-", dir=target if target.is_dir() else target.parent)
    os.close(descriptor)
    return Path(name)


def _publish(temporary: Path, target: Path, name: str) -> Path:
    """Give a complete file its name, without replacing an existing file."""
    if not target.is_dir():
        os.link(temporary, target)
        return target
    for candidate in _list_names(name):
        try:
            os.link(temporary, target / candidate)
        except FileExistsError:
            continue
        return target / candidate
    raise AssertionError("unreachable")


def _list_names(name: str) -> itertools.chain[str]:
    """Return the safe form of a file name of the server, then with numbers: `a.txt`, `a (2).txt`, …."""
    safe_name = "".join("_" if character in '/\\:*?"<>|' or character < " " else character for character in name)
    path = Path(safe_name.lstrip(". ") or "file")
    suffix = path.suffix[:20]
    stem = path.stem.encode()[: _MAX_NAME_BYTES - len(suffix.encode())].decode(errors="ignore")
    return itertools.chain([stem + suffix], (f"{stem} ({number}){suffix}" for number in itertools.count(2)))


@asynccontextmanager
async def _request(
    method: str, url: str, path: str, *, authorization: str | None, ca_file: str | None, timeout: float, **options: Any
) -> AsyncGenerator[aiohttp.ClientResponse]:
    """Send a request, and yield the response of a success; the errors are those of `upload`."""
    headers = options.pop("headers", {}) | ({} if authorization is None else {"Authorization": authorization})
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=create_ssl_context(url, ca_file)),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as session,
            session.request(method, url + path, headers=headers, allow_redirects=False, **options) as response,
        ):
            if response.status >= 300:
                raise to_error(response.status, await read_limited(response), response.headers.get("Retry-After", ""))
            yield response
    except TimeoutError:
        raise Unreachable("server_silent") from None
    except aiohttp.ClientError as error:
        raise connect_error(error) from None
