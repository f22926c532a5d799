"""Client of the endpoints of files, and untrusted images."""

import io
import struct
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, TCPConnector
from PIL import Image

from server.app import RunningServer
from tests.support.account_api import ApiResponse, to_headers
from tests.support.persons import Person


class UploadClient:
    """Client of one server with credentials.

    Args:
        session: HTTP session.
        url: Base URL of the server.
        authorization: Header `Authorization`, empty for none.

    Attributes:
        token: Token of an account, otherwise undefined.
    """

    def __init__(self, session: ClientSession, url: str, authorization: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": authorization} if authorization else {}
        self.token = authorization.removeprefix("Bearer ")

    def with_credentials(self, authorization: str) -> "UploadClient":
        """Return a client with other credentials."""
        return UploadClient(self._session, self._url, authorization)

    async def upload(self, content: Any, name: str = "file", room: str = "tea", **headers: str) -> ApiResponse:
        """Send a file as the body of a request with further headers, named as for `to_headers`."""
        parameters = {"room": room, "name": name}
        if isinstance(content, bytes):
            content = io.BytesIO(content)
        return await self._request("POST", "/api/uploads", to_headers(headers), data=content, params=parameters)

    async def upload_form(self, form: Any, **parameters: str) -> ApiResponse:
        """Send a form."""
        return await self._request("POST", "/api/uploads", data=form, params=parameters)

    async def download(self, path: str, **headers: str) -> ApiResponse:
        """Request a file; `body` contains the bytes of the file, or the decoded problem."""
        return await self._request("GET", path, to_headers(headers))

    async def _request(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> ApiResponse:
        all_headers = self._headers | (headers or {})
        async with self._session.request(method, self._url + path, headers=all_headers, **options) as response:
            is_json = response.content_type.endswith("json")
            body = await response.json(content_type=None) if is_json else await response.read()
            return ApiResponse(response.status, body, dict(response.headers))


@asynccontextmanager
async def upload_client(server: RunningServer, authorization: str = "") -> AsyncGenerator[UploadClient]:
    """Provide a client with credentials."""
    # The server closes idle connections while a test computes an image.
    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
        yield UploadClient(session, server.url, authorization)


async def send_files(sender: Person, *upload_ids: str, text: str = "", room: str = "tea") -> dict[str, Any]:
    """Send a message with files and return its push."""
    response = await sender.client.request(
        "sendMessage", {"room": room, "message": text, "attachments": list(upload_ids)}
    )
    assert response["ok"], response
    return await sender.client.wait_for_push("message", seq=response["seq"])


def encode_image(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    """Return an image file."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def forge_png(width: int, height: int, pixels: bytes) -> bytes:
    """Return a gray PNG file with the given header, and compressed pixels of any length."""

    def encode_chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(encode_chunk(*chunk) for chunk in chunks)
