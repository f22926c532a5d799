"""Streamed uploads and downloads over HTTP.

- Import time: aiohttp loads in 100 ms; importers load this module on demand.
"""

import asyncio
import itertools
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from aiohttp import ClientResponse

from tui_chat.client.errors import Unreachable
from tui_chat.client.net.http_request import open_response, read_limited
from tui_chat.client.outbox_file import OutboxFile
from tui_chat.protocol.errors import TooLong

_CHUNK_BYTES = 64 * 1024
_UNSUPPORTED = "uploads_unsupported"
_MAX_NAME_BYTES = 200  # below the limit of file systems, with room for a number


async def upload(
    url: str,
    path: str,
    file: OutboxFile,
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
        file: File to send.
        authorization, ca_file, timeout: As for `send_http`.
        on_progress: Called with the number of sent bytes so far, after each chunk of `_CHUNK_BYTES`.

    Raises:
        ChatError: The server rejected the request or accepts no files, or the request failed.
        FileChanged: The file has changed since its selection, or becomes shorter during the upload.
        OSError: The file is not readable.
    """
    with await asyncio.to_thread(file.open) as content:
        headers = {"Content-Length": str(file.size), "Content-Type": "application/octet-stream"}
        read_error: OSError | None = None

        async def read_chunks() -> AsyncIterator[bytes]:
            nonlocal read_error
            sent = 0
            while sent < file.size:
                try:
                    chunk = await asyncio.to_thread(content.read, min(_CHUNK_BYTES, file.size - sent))
                    if not chunk:
                        raise file.changed_error()
                except OSError as error:
                    read_error = error  # aiohttp would hide the cause
                    raise
                yield chunk
                sent += len(chunk)
                if on_progress is not None:
                    on_progress(sent)

        request = open_response(
            *(url, "POST", path),
            authorization=authorization,
            ca_file=ca_file,
            timeout=timeout,
            unsupported_reason=_UNSUPPORTED,
            headers=headers,
            data=read_chunks(),
        )
        try:
            async with request as response:
                return await read_limited(response)
        except Unreachable:
            if read_error is not None:
                raise read_error from None
            raise


async def download(
    url: str,
    path: str,
    target: Path,
    name: str,
    max_bytes: int,
    *,
    authorization: str | None,
    ca_file: str | None,
    on_progress: Callable[[int], None] | None,
    timeout: float,
) -> Path:
    """Receive a file with mode 0600, and return its path; further arguments as for `upload`.

    The content is written to a temporary file in the directory of the target. A failure leaves no file.

    Args:
        target: New file in an existing directory, or an existing directory.
        name: Name of the file in a target directory; unsafe characters are replaced, and a number is added if the name
            is taken.
        max_bytes: Maximum size of the file.

    Raises:
        TooLong: The file is larger; the rest is not received.
        ChatError: The server rejected the request, or the request failed.
        FileExistsError: The target is an existing file, which is found only after the transfer.
        OSError: The file cannot be written.
    """
    temporary = await asyncio.to_thread(_create_temporary, target)
    try:
        with await asyncio.to_thread(temporary.open, "wb") as content:
            received = 0
            async with _request_file(url, path, authorization, ca_file, timeout) as response:
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    received += len(chunk)
                    if received > max_bytes:
                        raise TooLong("file_too_large", limit=max_bytes)
                    await asyncio.to_thread(content.write, chunk)
                    if on_progress is not None:
                        on_progress(received)
        return await asyncio.to_thread(_publish, temporary, target, name)
    finally:
        await asyncio.to_thread(temporary.unlink, missing_ok=True)


async def read(
    url: str, path: str, max_bytes: int, *, authorization: str | None, ca_file: str | None, timeout: float
) -> bytes:
    """Receive a file into memory; further arguments as for `upload`.

    Args:
        max_bytes: Maximum size of the file.

    Raises:
        TooLong: The file is larger; the rest is not received.
        ChatError: The server rejected the request, or the request failed.
    """
    content = bytearray()
    async with _request_file(url, path, authorization, ca_file, timeout) as response:
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            content += chunk
            if len(content) > max_bytes:
                raise TooLong("file_too_large", limit=max_bytes)
    return bytes(content)


def _request_file(
    url: str, path: str, authorization: str | None, ca_file: str | None, timeout: float
) -> AbstractAsyncContextManager[ClientResponse]:
    return open_response(
        *(url, "GET", path),
        authorization=authorization,
        ca_file=ca_file,
        timeout=timeout,
        unsupported_reason=_UNSUPPORTED,
        headers={},
    )


def _create_temporary(target: Path) -> Path:
    """Create an empty file with mode 0600 in the directory of a target."""
    descriptor, name = tempfile.mkstemp(prefix=".chat-tui-", dir=target if target.is_dir() else target.parent)
    os.close(descriptor)
    return Path(name)


def _publish(temporary: Path, target: Path, name: str) -> Path:
    """Give a complete file its name, and return the new path; raise `FileExistsError` for an existing target file.

    In a target directory, the first free one of the `_candidate_names` is used. The old name may remain.
    """
    if not target.is_dir():
        _link(temporary, target)
        return target
    for candidate in _candidate_names(name):
        try:
            _link(temporary, target / candidate)
        except FileExistsError:
            continue
        return target / candidate
    raise AssertionError("unreachable")


def _link(temporary: Path, target: Path) -> None:
    """Give a file another name; raise `FileExistsError` if the target exists. The old name may remain."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, such as FAT
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
        temporary.replace(target)


def _candidate_names(name: str) -> itertools.chain[str]:
    """Return an endless series of safe forms of a file name from the server: `a.txt`, `a (2).txt`, `a (3).txt`.

    Separators, control characters and characters that Windows forbids become `_`. Leading dots and spaces are removed,
    an empty name becomes `file`, and a name without its number is shortened to `_MAX_NAME_BYTES`.
    """
    safe_name = "".join("_" if character in '/\\:*?"<>|' or character < " " else character for character in name)
    path = Path(safe_name.lstrip(". ") or "file")
    suffix = path.suffix[:20]
    stem = path.stem.encode()[: _MAX_NAME_BYTES - len(suffix.encode())].decode(errors="ignore")
    return itertools.chain([stem + suffix], (f"{stem} ({number}){suffix}" for number in itertools.count(2)))
