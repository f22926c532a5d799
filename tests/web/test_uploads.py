"""Endpoints of files, and messages with files, with a real server."""

import asyncio
import io
import logging
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import FormData
from PIL import Image

from server.app import RunningServer
from server.uploads.image_processor import ImageProcessor
from server.uploads.image_worker import CPU_SECONDS, MEMORY_BYTES, OUTPUT_BYTES
from server.uploads.media_types import DEFAULT_TYPE, detect_type
from server.uploads.spool_file import SpoolFile
from server.web.api import uploads
from tests.support.in_process_server import running_server
from tests.support.persons import Person, connect_person
from tests.support.process_limits import read_limits
from tests.support.uploads import UploadClient, encode_image, forge_png, send_files, upload_client
from tests.support.wait import wait_until

_FORM_TYPE = "multipart/form-data; boundary=x"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[Person]:
    """Guest in room `tea`."""
    async with connect_person(server, "ann", "guest") as guest:
        assert await guest.join() == ""
        yield guest


@pytest.fixture
async def files(server: RunningServer, ann: Person) -> AsyncGenerator[UploadClient]:
    """Client with the guest key of `ann`."""
    async with upload_client(server, f"Guest {ann.guest_key}") as client:
        yield client


async def test_messages_contain_their_files(ann: Person, files: UploadClient) -> None:
    uploaded = await files.upload(b"plain text", "notes.txt")
    assert uploaded.status == 201
    upload_id = uploaded.body["id"]
    attachment = {"id": upload_id, "name": "notes.txt", "type": "text/plain", "size": 10}
    attachment["path"] = f"/api/uploads/{upload_id}/notes.txt"
    assert uploaded.body == attachment
    assert (await files.download(attachment["path"])).body == b"plain text"  # by its uploader, without a message
    message = await send_files(ann, upload_id)
    assert (message["message"], message["attachments"]) == ("", [attachment])
    history = await ann.client.request("history", {"room": "tea", "after": 0})
    assert history["messages"][-1]["attachments"] == [attachment]
    downloaded = await files.download(attachment["path"])
    assert downloaded.body == b"plain text"
    assert downloaded.headers["Content-Disposition"] == "attachment; filename*=UTF-8''notes.txt"
    assert downloaded.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert downloaded.headers["X-Content-Type-Options"] == "nosniff"
    assert downloaded.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_images_lose_their_metadata_and_get_a_preview(files: UploadClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    exif[0x010E] = "secret description"
    exif.get_ifd(0x8825)[1] = "N"  # GPS latitude reference
    photo = Image.new("RGB", (1200, 600), "navy")
    content = encode_image(photo, "JPEG", exif=exif, comment=b"secret comment") + b"%PDF-1.7 secret polyglot"
    uploaded = await files.upload(content, "photo.jpg", Content_Type="text/html")
    assert (uploaded.status, uploaded.body["type"]) == (201, "image/jpeg")
    assert (uploaded.body["width"], uploaded.body["height"]) == (600, 1200)
    downloaded = await files.download(uploaded.body["path"])
    assert len(downloaded.body) == uploaded.body["size"]
    assert downloaded.headers["Content-Disposition"].startswith("inline;")
    assert b"secret" not in downloaded.body
    with Image.open(io.BytesIO(downloaded.body)) as image:
        assert (image.size, dict(image.getexif())) == ((600, 1200), {})
        assert image.getcolors() == [(600 * 1200, (1, 0, 128))]  # the nearest color of the encoder
    preview = await files.download(uploaded.body["preview"])
    assert preview.headers["Content-Disposition"] == "inline; filename*=UTF-8''preview.webp"
    with Image.open(io.BytesIO(preview.body)) as image:
        assert (image.format, image.size) == ("WEBP", (256, 512))


async def test_animations_keep_their_frames(files: UploadClient) -> None:
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "green", "blue")]
    for image_format, media_type in (("GIF", "image/gif"), ("WEBP", "image/webp"), ("PNG", "image/png")):
        content = encode_image(frames[0], image_format, save_all=True, append_images=frames[1:], duration=70, loop=0)
        uploaded = await files.upload(content)
        assert (uploaded.body["type"], "preview" in uploaded.body) == (media_type, False)
        downloaded = await files.download(uploaded.body["path"])
        with Image.open(io.BytesIO(downloaded.body)) as image:
            assert getattr(image, "n_frames", 1) == 3
            image.load()
            assert (image.info["loop"], image.info["duration"]) == (0, 70)


async def test_invalid_images_are_rejected(files: UploadClient, tmp_path: Path) -> None:
    bomb = forge_png(7_000, 7_000, bytes(7_001 * 7_000))
    assert len(bomb) < 50_000
    assert (await files.upload(bomb)).reason == "image_too_large"
    assert (await files.upload(forge_png(64_000, 64_000, b""))).reason == "image_too_large"
    frames = [Image.new("L", (2000, 2000), level) for level in range(11)]
    animation = encode_image(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (await files.upload(animation)).reason == "image_too_large"
    for content in (b"GIF89a<script>alert(1)</script>", b"\xff\xd8\xff\xe0 no image", forge_png(10, 10, b"\0")):
        assert (await files.upload(content)).reason == "image_invalid"
    assert (await files.upload(b"")).reason == "upload_empty"
    assert list((tmp_path / "chat.db.uploads").iterdir()) == []


async def test_the_image_process_has_resource_limits_before_it_reads_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, pid_file = tmp_path / "python", tmp_path / "pid"
    program.write_text(f'#!/bin/sh\necho $$ > "{pid_file}"\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    content = encode_image(Image.new("L", (2, 1)))
    limits = {"cpu": CPU_SECONDS, "memory": MEMORY_BYTES, "output": OUTPUT_BYTES, "files": 32, "core": 0}
    niceness = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as writer, SpoolFile(None) as source, SpoolFile(None) as target:
        source.file.close()
        source.file = os.fdopen(read_end, "rb")  # the process waits for the image until the end of the pipe
        task = asyncio.create_task(ImageProcessor().reencode(source, "image/png", target))
        await wait_until(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
        pid = int(pid_file.read_text())
        await wait_until(lambda: read_limits(pid) == limits)
        await wait_until(lambda: os.getpriority(os.PRIO_PROCESS, pid) == niceness)
        writer.write(content)
        writer.close()
        image = await task
    assert (image.width, image.height) == (2, 1)


@pytest.mark.parametrize(
    "command",
    ["echo '{\"size\": -5}' >&2", 'printf \'{"problem": "\\377"}\' >&2', "exec yes >&2", "exit 1"],
)
async def test_the_result_of_a_broken_image_process_is_rejected(
    files: UploadClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    program = tmp_path / "worker"
    program.write_text(f"#!/bin/sh\n{command}\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    assert (await files.upload(encode_image(Image.new("L", (1, 1))))).reason == "image_invalid"


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "a.svg", "text/plain"),
        (b"<!doctype html><script>alert(1)</script>", "a.html", "text/plain"),
        (b"%PDF-1.7\n<script>alert(1)</script>", "a.gif", "application/pdf"),
        (b"MZ\x90\x00\x03", "a.png", "application/octet-stream"),
        ("é".encode() * 3000, "a.txt", "text/plain"),
    ],
)
async def test_files_other_than_images_are_sandboxed_attachments(
    files: UploadClient, content: bytes, name: str, media_type: str
) -> None:
    uploaded = await files.upload(content, name, Content_Type="image/png")
    assert (uploaded.status, uploaded.body["type"]) == (201, media_type)
    downloaded = await files.download(uploaded.body["path"])
    assert downloaded.body == content
    assert downloaded.headers["Content-Type"].split(";")[0] == media_type
    assert downloaded.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in downloaded.headers["Content-Security-Policy"]
    assert downloaded.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("brand", "media_type"),
    [(b"heic", DEFAULT_TYPE), (b"mif1", DEFAULT_TYPE), (b"avif", "image/avif"), (b"isom", "video/mp4")],
)
def test_the_brand_distinguishes_images_from_videos(brand: bytes, media_type: str) -> None:
    assert detect_type(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0") == media_type


def test_only_matroska_files_with_the_webm_document_type_are_webm() -> None:
    header = b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82"
    assert detect_type(header + b"\x84webmB\x87\x81\x04B\x85\x81\x02") == "video/webm"
    assert detect_type(header + b"\x88matroskaB\x87\x81\x04B\x85\x81\x02") == DEFAULT_TYPE


async def test_file_names_contain_no_path_and_no_controls(files: UploadClient, tmp_path: Path) -> None:
    for name, expected in (
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("..", "file"),
        ("", "file"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("茶 100%?#.txt", "茶 100%?#.txt"),
    ):
        uploaded = await files.upload(b"x", name)
        assert uploaded.body["name"] == expected
        downloaded = await files.download(uploaded.body["path"])
        assert downloaded.body == b"x"
    assert (await files.upload(b"x", "x" * 201)).reason == "file_name_too_long"
    assert {path.parent.parent for path in tmp_path.rglob("file")} == {tmp_path / "chat.db.uploads"}


async def test_forms_require_the_room_before_the_file_and_the_end_of_the_file(files: UploadClient) -> None:
    form = FormData()
    form.add_field("room", "tea")
    form.add_field("file", b"content", filename="a.bin", content_type="text/html")
    uploaded = await files.upload_form(form)
    assert (uploaded.status, uploaded.body["name"], uploaded.body["size"]) == (201, "a.bin", 7)
    late = FormData()
    late.add_field("file", b"content", filename="a.bin")
    late.add_field("room", "tea")
    assert (await files.upload_form(late)).reason == "upload_room_missing"
    empty = FormData()
    empty.add_field("room", "tea", filename="x")
    assert (await files.upload_form(empty)).reason == "upload_incomplete"
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ncontent'
    assert (await files.upload(start, Content_Type=_FORM_TYPE)).reason == "upload_incomplete"
    assert (await files.upload(start + b"\r\n--x--\r\n", Content_Type=_FORM_TYPE)).body["size"] == 7


async def test_ranges_select_parts_and_matching_validators_are_honored(files: UploadClient) -> None:
    path = (await files.upload(bytes(range(100)))).body["path"]
    complete = await files.download(path)
    etag = complete.headers["Etag"]
    assert complete.headers["Accept-Ranges"] == "bytes"
    part = await files.download(path, Range="bytes=10-19")
    assert (part.status, part.body) == (206, bytes(range(10, 20)))
    assert part.headers["Content-Range"] == "bytes 10-19/100"
    assert (await files.download(path, Range="bytes=-5")).body == bytes(range(95, 100))
    assert (await files.download(path, Range="bytes=95-", If_Range=etag)).body == bytes(range(95, 100))
    for headers in ({"Range": "bytes=95-", "If_Range": '"other"'}, {"Range": "bytes=1-2,5-6"}, {"Range": "x"}):
        assert (await files.download(path, **headers)).body == bytes(range(100))
    unsatisfiable = await files.download(path, Range="bytes=100-")
    assert (unsatisfiable.status, unsatisfiable.headers["Content-Range"]) == (416, "bytes */100")
    assert (await files.download(path, If_None_Match=f'"x", {etag}')).status == 304


@pytest.mark.parametrize(
    "part",
    [
        b"A: " + b"b" * 10_000 + b"\r\n\r\nx",
        b"no header\r\n\r\nx",
        b"A: b\r\n" * 300 + b"\r\nx",
        b"Content-Type: multipart/mixed\r\n\r\nx",
        b'Content-Disposition: form-data; name="room"\r\n\r\n\xff',
    ],
)
async def test_malformed_forms_are_rejected(files: UploadClient, part: bytes) -> None:
    form = b"--x\r\n" + part + b"\r\n--x--\r\n"
    assert (await files.upload(form, Content_Type=_FORM_TYPE)).reason == "upload_incomplete"


async def test_disconnects_during_uploads_and_downloads_log_no_warning(
    server: RunningServer, ann: Person, files: UploadClient, caplog: pytest.LogCaptureFixture
) -> None:
    path = (await files.upload(bytes(10_000_000))).body["path"]
    url, other_requests = urlsplit(server.url), _count_active_requests()
    for request_line, body in (("POST /api/uploads?room=tea", bytes(100_000)), (f"GET {path}", b"")):
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        headers = (f"Host: {url.netloc}", f"Authorization: Guest {ann.guest_key}", f"Content-Length: {len(body) * 2}")
        writer.write("\r\n".join((f"{request_line} HTTP/1.1", *headers, "", "")).encode() + body)
        await writer.drain()
        await (wait_until(lambda: _count_active_requests() > other_requests) if body else reader.readexactly(100))
        writer.transport.abort()
        await wait_until(lambda: _count_active_requests() == other_requests)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_download_without_progress_ends(
    server: RunningServer, ann: Person, files: UploadClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_TIMEOUT", 0.2)
    path = (await files.upload(bytes(10_000_000))).body["path"]
    url, other_requests = urlsplit(server.url), _count_active_requests()
    reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=1024)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Guest {ann.guest_key}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await wait_until(lambda: _count_active_requests() == other_requests)
    with suppress(ConnectionError):
        assert set(await reader.read()) == {0}  # no second response in the file
    writer.close()


def _count_active_requests() -> int:
    """Return the number of requests in the handlers of all servers in the event loop."""
    return sum("_handle_request" in repr(task.get_coro()) for task in asyncio.all_tasks())
