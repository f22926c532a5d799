"""Endpoints of files, and messages with files, with a real server."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.persons import Person, connect_person
from tests.support.uploads import UploadClient, upload_client


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


async def send(sender: Person, *upload_ids: str, text: str = "", room: str = "tea") -> dict[str, Any]:
    """Send a message with files and return its push."""
    response = await sender.client.request(
        "sendMessage", {"room": room, "message": text, "attachments": list(upload_ids)}
    )
    assert response["ok"], response
    while True:
        push = await sender.client.wait_for_push("message")
        if push.get("seq") == response["seq"]:
            return push


async def test_a_message_carries_its_files(ann: Person, files: UploadClient) -> None:
    uploaded = await files.upload(b"plain text", "notes.txt")
    assert uploaded.status == 201
    upload_id = uploaded.body["id"]
    attachment = {"id": upload_id, "name": "notes.txt", "type": "text/plain", "size": 10}
    attachment["path"] = f"/api/uploads/{upload_id}/notes.txt"
    assert uploaded.body == attachment
    assert (await files.download(attachment["path"])).body == b"plain text"  # by its uploader, without a message
    message = await send(ann, upload_id)
    assert (message["message"], message["attachments"]) == ("", [attachment])
    history = await ann.client.request("history", {"room": "tea", "after": 0})
    assert history["messages"][-1]["attachments"] == [attachment]
    downloaded = await files.download(attachment["path"])
    assert downloaded.body == b"plain text"
    assert downloaded.headers["Content-Disposition"] == "attachment; filename*=UTF-8''notes.txt"
    assert downloaded.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert downloaded.headers["X-Content-Type-Options"] == "nosniff"
    assert downloaded.headers["Cross-Origin-Resource-Policy"] == "same-origin"
