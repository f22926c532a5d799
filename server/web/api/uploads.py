"""HTTP endpoints of files (docs/protocol.md, "Attachments").

- Uploads: a body without progress for `CHUNK_TIMEOUT` is rejected.
- Downloads: responses with any content cannot run as documents.
- Caches: a response may be stored by the client only, because each file needs permission.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import Struct

from server.domain.uploads import UPLOADS_PATH, FilePath, Upload
from server.gateway.http_callers import HttpCaller
from server.gateway.upload_access import UploadAccess
from server.uploads.media_types import INLINE_TYPES
from server.uploads.object_store import STORE_ERRORS
from server.uploads.upload_service import UploadService
from server.web.api.authentication import ApiLimits, RequestAuthenticator, acquire
from server.web.api.endpoints import ApiCall, Endpoint, RawContent
from tui_chat.protocol import errors
from tui_chat.protocol.events import Attachment

log = logging.getLogger("chat.uploads")

CHUNK_TIMEOUT = 30.0
"""Maximum time without progress of a body or a response, in seconds."""

UPLOAD_TIMEOUT = 1800.0
"""Maximum duration of an upload in seconds."""

MAX_FIELD_BYTES = 4096
"""Maximum size of a form field other than a file, in bytes."""

FORM_ERRORS = (ValueError, HttpProcessingError)
"""Errors of a malformed form, and of the encoding of its fields."""

_READ_BYTES = 64 * 1024
_PREVIEW_TYPE = "image/webp"
_RANGE = re.compile("bytes=([0-9]{0,15})-([0-9]{0,15})")

_FILE_HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class UploadParameters(Struct, frozen=True):
    """Parameters of `POST /api/uploads`.

    Attributes:
        room: Target room; in a form, the default of its field `room`.
        name: Name of the file; in a form, that of the part by default.
    """

    room: str = ""
    name: str = ""


class UploadForm(Struct, frozen=True):
    """Form of `POST /api/uploads`.

    Attributes:
        file: Content of the file.
        room: Target room, by default that of the query; precedes the file.
    """

    file: bytes
    room: str = ""


class DownloadParameters(Struct, frozen=True):
    """Parameters of `GET /api/uploads/{id}/{name}`.

    Attributes:
        id: Identifier of the file, with the suffix `.preview` for its smaller version.
        name: Any name.
        expires: End of the validity of a signed URL.
        signature: Signature of a signed URL.
    """

    id: str
    name: str
    expires: str = ""
    signature: str | None = None


class UploadApi:
    """Endpoints of files.

    Args:
        uploads: Uploads of the server.
        access: Permission checks.
        authenticator: Verifier of credentials.
        limits: Limits per address, None for no limits.

    Attributes:
        endpoints: Declared endpoints.
    """

    def __init__(
        self,
        uploads: UploadService,
        access: UploadAccess,
        authenticator: RequestAuthenticator,
        *,
        limits: ApiLimits | None,
    ) -> None:
        self._uploads = uploads
        self._access = access
        self._authenticator = authenticator
        self._limits = limits
        self.endpoints = (
            Endpoint(
                method="POST",
                path=UPLOADS_PATH,
                name="upload",
                summary="Upload a file for a message",
                tag="files",
                handle=self._upload,
                parameters=UploadParameters,
                body=RawContent({"application/octet-stream": bytes, "multipart/form-data": UploadForm}),
                response=Attachment,
                status=HTTPStatus.CREATED,
                problems=(HTTPStatus.NOT_FOUND,),
            ),
            Endpoint(
                method="GET",
                path=UPLOADS_PATH + "/{id}/{name}",
                name="download",
                summary="Return a file, or a part of a file",
                tag="files",
                handle=self._download,
                credentials="signature",
                rate_class=None,
                parameters=DownloadParameters,
                response=RawContent({"*/*": bytes}),
                other_statuses=(
                    HTTPStatus.PARTIAL_CONTENT,
                    HTTPStatus.NOT_MODIFIED,
                    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                ),
                problems=(HTTPStatus.NOT_FOUND,),
            ),
        )

    async def _upload(self, call: ApiCall[UploadParameters, None]) -> Attachment:
        """Store the body, or the part `file` of a form, as a file.

        Raises:
            ChatError: The file, the room or the form is rejected, or a rate is exceeded.
            web.HTTPRequestTimeout: The body makes no progress, or takes longer than `UPLOAD_TIMEOUT`.
        """
        request, caller, parameters = call.request, call.caller, call.parameters
        acquire(self._limits, "uploads", caller.address, "too_many_requests")
        try:
            async with asyncio.timeout(UPLOAD_TIMEOUT):
                if request.content_type == "multipart/form-data":
                    upload = await self._receive_form(request, caller, parameters)
                else:
                    chunks = read_chunks(request.content.read)
                    size = request.content_length
                    upload = await self._receive(caller, parameters.room, chunks, parameters.name, size)
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        return upload.to_attachment()

    async def _receive_form(self, request: web.Request, caller: HttpCaller, parameters: UploadParameters) -> Upload:
        """Store the first part `file` of a form, in the room of an earlier part `room`; ignore later parts.

        Raises:
            BadRequest: The form is malformed or has no file, a field before the file exceeds `MAX_FIELD_BYTES`, or no
                room is named.
            ChatError: The room or the file is rejected.
            web.HTTPRequestTimeout: The body makes no progress for `CHUNK_TIMEOUT`.
        """
        room_name = parameters.room
        try:
            async for part in await request.multipart():
                if not isinstance(part, BodyPartReader):
                    break
                if part.name == "file":
                    name = parameters.name or part.filename or ""
                    return await self._receive(caller, room_name, read_part(part), name)
                content = b"".join([chunk async for chunk in read_part(part, MAX_FIELD_BYTES)])
                if part.name == "room":
                    room_name = content.decode()
        except FORM_ERRORS:
            pass
        raise errors.BadRequest("upload_incomplete")

    async def _receive(
        self, caller: HttpCaller, room_name: str, chunks: AsyncIterator[bytes], name: str, size: int | None = None
    ) -> Upload:
        """Check the permission to upload to a room, and store a file; the names are as received, empty if absent.

        Raises:
            ChatError: The room is missing or rejected (`UploadAccess`), or the file (`UploadService.receive`).
        """
        if not room_name:
            raise errors.BadRequest("upload_room_missing")
        uploader = await self._access.authorize_upload(caller, room_name)
        return await self._uploads.receive(chunks, uploader, name, size=size)

    async def _download(self, call: ApiCall[DownloadParameters, None]) -> web.StreamResponse:
        """Return a file, or a part of a file (RFC 9110, section 14); a preview is always complete.

        The status is 304 for a matching `If-None-Match`, even with a range, and 416 for a range outside of the file. A
        signature, even an invalid one, replaces the credentials. A failure after the headers aborts the connection.

        Raises:
            NotFound: The path, the file or its preview does not exist, or is not visible.
            Unauthorized: The signature or the credentials are invalid or missing.
            Forbidden: The caller is banned from the room.
            Unavailable: The database or the store is not readable.
        """
        request, parameters = call.request, call.parameters
        file_path = FilePath.parse(request.rel_url.raw_path)
        if file_path is None:
            raise errors.NotFound("upload_not_found")
        if parameters.signature is not None:
            upload = await self._access.require_signed(file_path, parameters.expires, parameters.signature)
        else:
            upload = await self._access.require_readable(await self._authenticator.identify(request), file_path)
        if file_path.is_preview and not upload.has_preview:
            raise errors.NotFound("upload_not_found")
        etag = f'"{upload.digest.hex()}{"-preview" * file_path.is_preview}"'
        disposition = _describe_disposition(upload, is_preview=file_path.is_preview)
        headers = {**_FILE_HEADERS, "ETag": etag, "Content-Disposition": disposition}
        if any(tag in ("*", etag) for tag in map(str.strip, request.headers.get("If-None-Match", "").split(","))):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        headers["Content-Type"] = _PREVIEW_TYPE if file_path.is_preview else _get_content_type(upload)
        byte_range = None if file_path.is_preview else _find_range(request, upload.size, etag)
        if byte_range is not None:
            first, end = byte_range
            if first >= end:
                headers = {"Content-Range": f"bytes */{upload.size}"}
                return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{upload.size}"
        size, chunks = await self._uploads.read(upload, is_preview=file_path.is_preview, byte_range=byte_range)
        response = web.StreamResponse(status=HTTPStatus.OK if byte_range is None else HTTPStatus.PARTIAL_CONTENT)
        response.headers.update(headers)
        response.content_length = size if byte_range is None else byte_range[1] - byte_range[0]
        await response.prepare(request)
        if request.method != "HEAD":
            await self._send(request, response, chunks)
        return response

    async def _send(self, request: web.Request, response: web.StreamResponse, chunks: AsyncIterator[bytes]) -> None:
        """Write the body of a response; an error aborts the connection, because the status is sent already."""
        try:
            async for chunk in chunks:
                async with asyncio.timeout(CHUNK_TIMEOUT):
                    await response.write(chunk)
        except STORE_ERRORS as error:
            if not isinstance(error, ConnectionError | TimeoutError):  # errors of the client
                log.error("read of an upload failed: %s", error)
            if request.transport is not None:
                request.transport.abort()


async def read_chunks(read: Callable[[int], Awaitable[bytes]], max_bytes: int | None = None) -> AsyncIterator[bytes]:
    """Yield the parts of a body until its end.

    Args:
        read: Returns a part of at most a number of bytes, empty at the end.
        max_bytes: Maximum size of the body; None for no limit.

    Raises:
        ValueError: The body has more than `max_bytes`.
        web.HTTPRequestTimeout: The body makes no progress for `CHUNK_TIMEOUT`.
    """
    size = 0
    while True:
        try:
            async with asyncio.timeout(CHUNK_TIMEOUT):
                chunk = await read(_READ_BYTES)
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        if not chunk:
            return
        size += len(chunk)
        if max_bytes is not None and size > max_bytes:
            raise ValueError("the body is too large")
        yield chunk


async def read_part(part: BodyPartReader, max_bytes: int | None = None) -> AsyncIterator[bytes]:
    """Yield the content of a part of a form; errors are those of `read_chunks`.

    Raises:
        ValueError: The form is malformed, or ends before the end of the part.
    """
    async for chunk in read_chunks(part.read_chunk, max_bytes):
        yield chunk
    if not part.at_eof():
        raise ValueError("the form is incomplete")


def _find_range(request: web.Request, size: int, etag: str) -> tuple[int, int] | None:
    """Return first byte and end of the requested range, None for the complete file.

    A range outside of the file, and a reversed one, have an end at or before the first byte. An end after the file is
    reduced to its size. Malformed and multiple ranges, and ranges of another version (`If-Range`), are ignored.
    """
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or request.headers.get("If-Range", etag) != etag or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    return int(match[1]), min(size, int(match[2]) + 1) if match[2] else size


def _get_content_type(upload: Upload) -> str:
    return "text/plain; charset=utf-8" if upload.type == "text/plain" else upload.type


def _describe_disposition(upload: Upload, *, is_preview: bool) -> str:
    """Return the value of `Content-Disposition` (RFC 6266): inline for `INLINE_TYPES`, otherwise a download.

    The file name is the encoded one in the stored path of the file or its preview, not that of the request.
    """
    kind = "inline" if upload.type in INLINE_TYPES else "attachment"
    encoded_name = ((is_preview and upload.preview_path) or upload.path).rpartition("/")[2]
    return f"{kind}; filename*=UTF-8''{encoded_name}"
