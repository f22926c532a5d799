"""Uploads in an S3-compatible store, and failures of stores."""

import io
import os
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.in_process_server import running_server
from tests.support.persons import connect_person
from tests.support.s3_server import CREDENTIALS, s3_server
from tests.support.uploads import send_files, upload_client


async def test_files_are_stored_in_s3_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with s3_server("files") as url, ClientSession() as s3:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true"}.items():
            monkeypatch.setenv(name, value)

        async def list_objects() -> str:
            async with s3.get(f"{url}/files?list-type=2") as response:
                return await response.text()

        settings = {"uploads": "s3://files/chat", "rate_limit": "off", "upload_min_free_bytes": 0}
        async with running_server(tmp_path, **settings) as server, connect_person(server, "ann") as ann:
            await ann.join()
            async with upload_client(server, f"Guest {ann.guest_key}") as files:
                content = os.urandom(12 * 2**20)  # in several parts
                uploaded = (await files.upload(io.BytesIO(content), "big.bin")).body
                message = await send_files(ann, uploaded["id"])
                assert f"<Key>chat/{uploaded['id']}/file</Key>" in await list_objects()
                assert (await files.download(uploaded["path"])).body == content
                part = await files.download(uploaded["path"], Range="bytes=6000000-6000009")
                assert part.body == content[6_000_000:6_000_010]
                assert await ann.attempt("deleteMessage", seq=message["seq"]) == ""
                await server.uploads.remove_unused()
                assert "<Key>" not in await list_objects()
                monkeypatch.undo()
    assert not (tmp_path / "chat.db.uploads").exists()


async def test_an_unreachable_store_rejects_uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)
    async with running_server(tmp_path, uploads="s3://files") as server, connect_person(server, "ann") as ann:
        await ann.join()
        async with upload_client(server, f"Guest {ann.guest_key}") as files:
            assert (await files.upload(b"x")).reason == "uploads_unwritable"
        assert await ann.send("still here")


async def test_a_deleted_directory_rejects_uploads_until_its_return(tmp_path: Path) -> None:
    directory = tmp_path / "chat.db.uploads"
    async with running_server(tmp_path) as server, connect_person(server, "ann") as ann:
        await ann.join()
        async with upload_client(server, f"Guest {ann.guest_key}") as files:
            directory.rmdir()
            assert (await files.upload(b"x")).reason == "uploads_unwritable"
            directory.mkdir(mode=0o700)
            assert (await files.upload(b"x")).status == 201
