"""Access to files, their limits and their removal, with a real server."""

import asyncio
import io
import json
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from PIL import Image

from server.app import RunningServer, serve
from server.settings import ServerSettings
from server.storage import retention
from server.uploads import upload_service
from tests.support.accounts import PASSWORD, create_account
from tests.support.faulty_disk import small_disk
from tests.support.in_process_server import running_server
from tests.support.persons import Person, connect_person
from tests.support.raw_client import raw_client
from tests.support.server_process import server_process
from tests.support.storage import ManualClock
from tests.support.uploads import UploadClient, encode_image, send_files, upload_client
from tests.support.wait import wait_until

HOUR_MS = 3_600_000


@asynccontextmanager
async def persons(
    server: RunningServer, *names: str, password: str | None = None
) -> AsyncGenerator[list[tuple[Person, UploadClient]]]:
    """Connect accounts; yield each with its client for files."""
    async with AsyncExitStack() as stack:
        anonymous = await stack.enter_async_context(upload_client(server))
        connected: list[tuple[Person, UploadClient]] = []
        for name in names:
            token = (await create_account(server, name, password=password)).token
            person = await stack.enter_async_context(connect_person(server, name, token=token))
            connected.append((person, anonymous.with_credentials(f"Bearer {token}")))
        yield connected


@asynccontextmanager
async def clocked_server(directory: Path, clock: ManualClock, **settings: Any) -> AsyncGenerator[RunningServer]:
    """Run a server with a manual clock."""
    values: dict[str, Any] = {"port": 0, "database": str(directory / "chat.db"), "rate_limit": "off", **settings}
    async with serve(ServerSettings(**values), now=clock) as server:
        yield server


async def test_files_of_a_private_room_require_a_membership_or_a_signed_address(tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        clocked_server(tmp_path, clock) as server,
        persons(server, "owner", "bob", "eve") as ((owner, owner_files), (bob, bob_files), (eve, eve_files)),
        upload_client(server) as anonymous,
    ):
        created = await owner.client.request("createRoom", {"visibility": "private", "title": "x"})
        room: str = created["room"]["name"]
        invite = await owner.client.request("createInvite", {"room": room})
        assert await bob.join(room, invite=invite["invite"]["code"]) == ""
        uploaded = await owner_files.upload(b"secret", room=room)
        path: str = uploaded.body["path"]
        assert (await bob_files.download(path)).reason == "upload_not_found"  # not sent yet
        assert await bob.attempt("sendMessage", room=room, message="", attachments=[uploaded.body["id"]]) == (
            "upload_not_found"
        )
        message = await send_files(owner, uploaded.body["id"], room=room)
        assert (await bob_files.download(path)).body == b"secret"
        assert await owner.join("tea") == ""
        assert await owner.attempt("sendMessage", message="", attachments=[uploaded.body["id"]]) == "upload_not_found"
        absent_room = room[:-1] + ("a" if room[-1] != "a" else "b")
        absent = path.replace(uploaded.body["id"], "A" * 22)
        for client in (eve_files, owner_files):
            assert (await client.download(absent)).reason == "upload_not_found"
        assert (await eve_files.download(path)).reason == "upload_not_found"
        assert (await eve_files.upload(b"x", room=room)).reason == "room_not_found"
        assert (await eve_files.upload(b"x", room=absent_room)).reason == "room_not_found"
        assert (await anonymous.download(path)).reason == "credentials_missing"
        assert (await anonymous.upload(b"x")).reason == "credentials_missing"
        assert (await anonymous.with_credentials("Guest x").download(path)).reason == "guest_key_invalid"
        assert (await anonymous.with_credentials("Bearer x").upload(b"x")).reason == "token_invalid"
        paths = {"paths": [path, absent, "/api/me"]}
        assert (await eve.client.request("signAttachments", paths))["urls"] == [None, None, None]
        signed = await bob.client.request("signAttachments", paths)
        url = signed["urls"][0]
        assert signed["urls"][1:] == [None, None]
        assert signed["expiresAt"] == clock.now + HOUR_MS
        assert (await anonymous.download(url)).body == b"secret"
        assert (await anonymous.download(url[:-1] + "~")).reason == "signature_invalid"
        clock.now += HOUR_MS - 1
        assert (await anonymous.download(url)).status == 200
        clock.now += HOUR_MS
        assert (await anonymous.download(url)).reason == "signature_invalid"
        fresh = (await bob.client.request("signAttachments", paths))["urls"][0]
        assert await owner.attempt("deleteMessage", room=room, seq=message["seq"]) == ""
        for client in (owner_files, bob_files):
            assert (await client.download(path)).reason == "upload_not_found"
        assert (await anonymous.download(fresh)).reason == "upload_not_found"
        history = await owner.client.request("history", {"room": room, "around": message["seq"]})
        assert not any("attachments" in entry for entry in history["messages"])


async def test_the_policy_of_the_room_restricts_uploads(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rate_limit="off") as server,
        persons(server, "owner", "bob") as ((owner, owner_files), (bob, bob_files)),
    ):
        await owner.client.request("createRoom", {"roomName": "tea", "upload": "moderators"})
        assert await bob.join() == ""
        assert (await bob_files.upload(b"x")).reason == "moderators_only"
        elsewhere = (await bob_files.upload(b"x", room="coffee")).body["id"]
        assert await bob.attempt("sendMessage", message="", attachments=[elsewhere]) == "moderators_only"
        await send_files(owner, (await owner_files.upload(b"x")).body["id"])
        assert await bob.attempt("sendMessage", message=" ") == "message_empty"


async def test_files_without_a_message_are_removed_and_one_that_cannot_be_removed_is_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_service, "CLEANUP_INTERVAL", 0.1)
    monkeypatch.setattr(retention, "_INTERVAL", 0.1)
    clock = ManualClock()
    files_directory = tmp_path / "chat.db.uploads"
    async with (
        clocked_server(tmp_path, clock) as server,
        persons(server, "ann", password=PASSWORD) as ((ann, files),),
    ):
        await ann.join()
        uploaded = [(await files.upload(b"x")).body for _ in range(5)]
        stuck, unused, deleted, attached, expired = sorted(uploaded, key=itemgetter("id"))
        blocked_path = files_directory / stuck["id"] / "file"
        blocked_path.unlink()
        (blocked_path / "child").mkdir(parents=True)  # the store deletes no directory
        message = await send_files(ann, deleted["id"])
        await send_files(ann, attached["id"])
        await server.uploads.remove_unused()
        assert len(list(files_directory.iterdir())) == 5
        assert await ann.attempt("deleteMessage", seq=message["seq"]) == ""
        await server.uploads.remove_unused()
        remaining = {stuck["id"], unused["id"], attached["id"], expired["id"]}
        assert {path.name for path in files_directory.iterdir()} == remaining
        created = await ann.client.request("createRoom", {"roomName": "own", "keep": {"messages": 1}})
        assert created["ok"]
        await send_files(ann, expired["id"], room="own")
        await ann.send("newer", room="own")
        remaining.discard(expired["id"])
        await wait_until(lambda: {path.name for path in files_directory.iterdir()} == remaining)
        assert (await files.download(expired["path"])).reason == "upload_not_found"
        clock.now += HOUR_MS
        await server.uploads.remove_unused()
        assert {path.name for path in files_directory.iterdir()} == {stuck["id"], attached["id"]}
        shutil.rmtree(blocked_path)
        await server.uploads.remove_unused()
        assert {path.name for path in files_directory.iterdir()} == {attached["id"]}
        assert (await files.download(attached["path"])).body == b"x"
        assert (await files.download(unused["path"])).reason == "upload_not_found"
        account = await server.account_service.tokens.authenticate(files.token)
        await server.account_service.delete_account(account, PASSWORD, erasure="delete", address="127.0.0.1")
        await wait_until(lambda: not list(files_directory.iterdir()))


async def test_uploads_stay_within_the_quotas(tmp_path: Path) -> None:
    clock = ManualClock()
    limits = {"upload_max_bytes": 1000, "upload_daily_bytes": 2500, "upload_total_bytes": 4000}
    async with (
        clocked_server(tmp_path, clock, trusted_proxy=("127.0.0.1",), **limits) as server,
        persons(server, "ann", "bob") as ((ann, files), (_, bob_files)),
    ):
        await ann.join()
        assert (await files.upload(bytes(1001))).reason == "file_too_large"

        async def stream() -> AsyncIterator[bytes]:
            for _ in range(11):
                yield bytes(100)

        assert (await files.upload(stream())).reason == "file_too_large"  # without an announced size
        noise = encode_image(Image.effect_noise((40, 40), 90), "JPEG", quality=1)
        assert len(noise) < 1000
        assert (await files.upload(noise)).reason == "file_too_large"  # after the encoding

        is_released = asyncio.Event()

        async def wait_with_body() -> AsyncIterator[bytes]:
            yield bytes(100)
            await is_released.wait()
            yield bytes(1000)

        waiting = asyncio.create_task(files.upload(wait_with_body()))
        for _ in range(3):  # rejected uploads during another one do not count
            assert (await files.upload(b"GIF89a" + bytes(900))).reason == "image_invalid"
        is_released.set()
        assert (await waiting).reason == "file_too_large"
        for _ in range(2):
            assert (await files.upload(bytes(1000))).status == 201
        refused = await files.upload(bytes(1000))
        assert (refused.status, refused.reason) == (429, "upload_quota_exceeded")
        assert int(refused.headers["Retry-After"]) > 0
        for _ in range(2):
            assert (await bob_files.upload(bytes(1000))).status == 201
        assert (await bob_files.upload(bytes(100))).reason == "uploads_full"
        clock.now += 25 * HOUR_MS
        await server.uploads.remove_unused()
        assert (await files.upload(bytes(1000))).status == 201

        keys: list[str] = []
        for _ in range(3):  # other guests of the same address share the quota
            async with connect_person(server, "guest", address="192.0.2.7") as guest:
                await guest.join()
                keys.append(guest.guest_key)
        outcomes = [
            (await files.with_credentials(f"Guest {key}").upload(bytes(900), X_Forwarded_For="192.0.2.7")).status
            for key in keys
        ]
        assert outcomes == [201, 201, 429]


async def test_a_full_disk_rejects_uploads_without_losses_and_disabled_uploads_are_rejected(tmp_path: Path) -> None:
    with small_disk(tmp_path, 3 * 2**20) as disk:
        settings = {"uploads": str(disk / "files"), "upload_max_bytes": 2 * 2**20, "upload_min_free_bytes": 0}

        async def stream() -> AsyncIterator[bytes]:
            free = shutil.disk_usage(disk).free
            yield bytes(512 * 1024)
            await wait_until(lambda: shutil.disk_usage(disk).free < free - 256 * 1024)
            (disk / "other").write_bytes(bytes(2 * 2**20))
            yield bytes(1536 * 1024)

        async with running_server(tmp_path, **settings) as server, persons(server, "ann") as ((ann, files),):
            await ann.join()
            small = (await files.upload(bytes(1000))).body
            await send_files(ann, small["id"])
            assert (await files.upload(stream())).reason == "uploads_unwritable"
            assert (await files.upload(bytes(2**20))).reason == "uploads_full"
            (disk / "other").unlink()
            assert (await files.download(small["path"])).body == bytes(1000)
            assert (await files.upload(bytes(1000))).status == 201
            assert shutil.disk_usage(disk).free > 2 * 2**20
    async with (
        running_server(tmp_path, upload_min_free_bytes=2**50) as server,
        persons(server, "ann2") as ((_, files),),
    ):
        assert (await files.upload(b"x")).reason == "uploads_full"
    async with running_server(tmp_path, upload_max_bytes=0) as server, persons(server, "ann3") as ((_, files),):
        assert (await files.upload(b"x")).reason == "uploads_disabled"


async def test_a_killed_server_leaves_no_part_of_an_upload(tmp_path: Path) -> None:
    database, files = tmp_path / "chat.db", tmp_path / "chat.db.uploads"
    flags = ("--database", str(database), "--rate-limit", "off")
    async with ClientSession() as session:
        async with server_process(tmp_path, *flags) as process, raw_client(process.url) as client:
            guest_key = (await client.join("tea", "ann"))["guestKey"]
            is_sent = asyncio.Event()

            async def stream() -> AsyncIterator[bytes]:
                for _ in range(20):
                    yield bytes(256 * 1024)
                is_sent.set()
                await asyncio.Event().wait()

            headers = {"Authorization": f"Guest {guest_key}"}
            request = session.post(f"{process.url}/api/uploads?room=tea", data=stream(), headers=headers)
            task = asyncio.ensure_future(request.__aenter__())
            await is_sent.wait()
            await wait_until(files.exists)
            process.process.kill()
            await process.process.wait()
            await asyncio.wait({task})
            assert task.exception() is not None
        assert list(files.iterdir()) == []
        async with server_process(tmp_path, *flags) as process:
            url = f"{process.url}/api/uploads?room=tea"
            async with session.post(url, data=b"again", headers=headers) as response:
                assert response.status == 201


async def test_uploads_and_downloads_use_bounded_memory(tmp_path: Path) -> None:
    size = 25 * 2**20
    flags = ("--database", str(tmp_path / "chat.db"), "--rate-limit", "off")
    async with (
        server_process(tmp_path, *flags) as process,
        raw_client(process.url) as client,
        ClientSession(headers={"Authorization": f"Guest {(await client.join('tea', 'ann'))['guestKey']}"}) as session,
    ):
        url = f"{process.url}/api/uploads?room=tea"

        def read_peak() -> int:
            """Return the highest memory use of the server so far, in bytes."""
            status = Path(f"/proc/{process.process.pid}/status").read_text()
            return int(status.split("VmHWM:")[1].split()[0]) * 1024

        async with session.post(url, data=b"first") as response:
            assert response.status == 201
        before = read_peak()
        async with session.post(url, data=io.BytesIO(os.urandom(size))) as response:
            uploaded = json.loads(await response.read())
            assert uploaded["size"] == size
        assert read_peak() - before < 40 * 2**20
        async with session.get(f"{process.url}{uploaded['path']}") as response:
            received = sum([len(chunk) async for chunk in response.content.iter_any()])
        assert received == size
        assert read_peak() - before < 40 * 2**20


async def test_basic_clients_receive_a_line_with_the_name_and_address_of_a_file(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(tmp_path, rate_limit="off"))
        ((ann, files),) = await stack.enter_async_context(persons(server, "ann"))
        await ann.join()
        clients = [await stack.enter_async_context(raw_client(server.url)) for _ in range(4)]
        object_join, string_join, server_msg, resource_crud = clients
        for client, payload in (
            (object_join, {"roomName": "tea", "nickName": "bob"}),
            (string_join, "tea"),
            (server_msg, {"nickName": "cy", "roomId": "tea"}),
        ):
            await client.ws.send_str("42" + json.dumps(["joinRoom", payload]))
        await server_msg.wait_for_push("roomUser")
        await wait_until(lambda: server.read_metrics().members == 4)
        uploaded = (await files.upload(b"x", "a b.txt")).body
        await send_files(ann, uploaded["id"], text="look")
        room_id = (await resource_crud.request("findAllChatroom"))[0]["id"]
        await resource_crud.request("findChatroomMessages", {"id": room_id})
        texts: list[str] = [(await resource_crud.wait_for_push("chatroomMessage"))["message"]]
        texts.append((await server_msg.wait_for_push("server_msg"))["msg"])
        push = await object_join.wait_for_push("message", kind="message")
        assert "attachments" not in push
        texts.append(push["message"])
        while not (text := await string_join.wait_for_push("message")).startswith("look"):
            pass
        texts.append(text)
        for text in texts:
            first, line = text.split("\n")
            name, _, url = line.rpartition(" ")
            assert (first, name) == ("look", "a b.txt")
            assert url.startswith(server.url + uploaded["path"])
            async with upload_client(server) as anonymous:
                assert (await anonymous.download(url.removeprefix(server.url))).body == b"x"
