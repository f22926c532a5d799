"""Deletion of accounts: names, texts, memberships and restarts, with a real server and its database file."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.app import RunningServer
from server.storage import erasure_repository
from server.storage.erasure_repository import ErasureRepository
from tests.support.account_api import account_api
from tests.support.accounts import PASSWORD, create_account, open_connection
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client
from tests.support.wait import wait_until


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """Server with its database file in `tmp_path`."""
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


def read_rows(path: Path, query: str) -> list[Any]:
    """Return the rows of a query on the database file of a running server."""
    with closing(sqlite3.connect(path / "chat.db")) as connection:
        return connection.execute(query).fetchall()


async def wait_for_erasure(path: Path) -> None:
    """Wait until no account waits for its erasure."""
    await wait_until(lambda: not read_rows(path, "SELECT id FROM accounts WHERE erasure IS NOT NULL"))


async def read_history(client: RawClient, room: str) -> list[dict[str, Any]]:
    """Return all entries of a joined room."""
    return (await client.request("history", {"room": room, "after": 0, "limit": 200}))["messages"]


async def test_the_entries_of_a_deleted_account_show_a_neutral_author(server: RunningServer, tmp_path: Path) -> None:
    issued = await create_account(server, "ann", nick_name="Captain", password=PASSWORD)
    async with open_connection(server, {"token": issued.token}) as (ann, _), raw_client(server.url) as bob:
        await ann.join("tea", "ann")
        await bob.join("tea", "bob")
        await ann.send_messages("tea", ["one", "two"])
        await bob.request("sendMessage", {"room": "tea", "message": "three"})
        await ann.request("react", {"room": "tea", "seq": 3, "emoji": "👍", "on": True})
        await ann.request("setTopic", {"room": "tea", "topic": "tea time"})
        async with account_api(server.url) as api:
            me = api.with_token(issued.token)
            wrong = await me.request("DELETE", "/api/me", {"messages": "keep", "password": "wrong password"})
            assert wrong.reason == "login_failed"
            assert (await me.request("DELETE", "/api/me", {"messages": "some", "password": PASSWORD})).status == 400
            assert (await me.request("DELETE", "/api/me", {"messages": "keep", "password": PASSWORD})).status == 204
            assert (await me.request("GET", "/api/me")).reason == "token_invalid"
            assert (await api.log_in("ann")).reason == "login_failed"
        assert await ann.wait_for_push("authFail")
        await wait_for_erasure(tmp_path)
        entries = await read_history(bob, "tea")
        names = {entry["nickName"] for entry in entries if entry["memberId"] == issued.account.member_id}
        assert len(names) == 1
        (name,) = names
        assert name.startswith("deleted-")
        texts = [entry["message"] for entry in entries if entry["kind"] == "message"]
        assert texts == ["one", "two", "three"]
        (summary,) = [entry["reactions"]["👍"] for entry in entries if "reactions" in entry]
        assert [reactor["nickName"] for reactor in summary["by"]] == [name]
        assert (await bob.request("changeNick", {"nickName": "Captain"}))["nickName"] == "Captain"
    stored = b"".join((tmp_path / name).read_bytes() for name in ("chat.db", "chat.db-wal"))
    rows = read_rows(tmp_path, "SELECT nick_name, account, text FROM entries")
    assert not [row for row in rows if "ann" in row or "Captain" in row[0] + row[2]]
    assert b"deleted-" in stored
    assert PASSWORD.encode() not in stored


async def test_a_deletion_erases_the_messages_of_the_account_on_request(server: RunningServer, tmp_path: Path) -> None:
    issued = await create_account(server, "ann")
    async with open_connection(server, {"token": issued.token}) as (ann, _), raw_client(server.url) as bob:
        for room in ("tea", "coffee"):
            await ann.join(room, "ann")
            await bob.join(room, "bob")
            await ann.send_messages(room, ["secret plan"] * 60)
        await bob.request("sendMessage", {"room": "tea", "message": "mine"})
        await server.account_service.delete_account_by_name("ann", "delete")
        await wait_for_erasure(tmp_path)
        for room in ("tea", "coffee"):
            entries = await read_history(bob, room)
            erased = [entry for entry in entries if entry["kind"] == "message" and entry["nickName"] != "bob"]
            assert len(erased) == 60
            assert all(entry["deleted"] and entry["message"] == "" for entry in erased)
            assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
        assert (await bob.request("search", {"query": "secret"}))["messages"] == []
    assert not read_rows(tmp_path, "SELECT id FROM entries WHERE text LIKE '%secret%'")


async def test_an_erasure_continues_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure_repository, "SLICE_ENTRIES", 10)
    rename_author = ErasureRepository.rename_author
    first_slice_renamed = asyncio.Event()

    async def rename_first_slice(repository: ErasureRepository, *arguments: Any) -> int | None:
        if first_slice_renamed.is_set():
            await asyncio.Event().wait()  # until the cancellation by the shutdown
        next_id = await rename_author(repository, *arguments)
        first_slice_renamed.set()
        return next_id

    with monkeypatch.context() as patch:
        patch.setattr(ErasureRepository, "rename_author", rename_first_slice)
        async with running_server(tmp_path, rate_limit="off") as server:
            issued = await create_account(server, "ann")
            async with open_connection(server, {"token": issued.token}) as (ann, _):
                await ann.join("tea", "ann")
                await ann.send_messages("tea", ["hi"] * 30)
            await server.account_service.delete_account_by_name("ann", "keep")
            await first_slice_renamed.wait()
    ((remaining,),) = read_rows(tmp_path, "SELECT count(*) FROM entries WHERE nick_name = 'ann'")
    assert 0 < remaining < 30
    async with running_server(tmp_path):
        await wait_for_erasure(tmp_path)
    assert read_rows(tmp_path, "SELECT count(*) FROM entries WHERE nick_name = 'ann'") == [(0,)]


async def test_a_deleted_account_leaves_no_membership(server: RunningServer, tmp_path: Path) -> None:
    issued = await create_account(server, "ann")
    async with open_connection(server, {"token": issued.token}) as (ann, _), raw_client(server.url) as bob:
        await ann.join("tea", "ann")
        await bob.join("tea", "bob")
        assert read_rows(tmp_path, "SELECT member_id FROM memberships") == [(issued.account.member_id,)]
        await server.account_service.delete_account_by_name("ann", "keep")
        left = await bob.wait_for_push("update", kind="member", action="left")
        assert left["target"]["nickName"].startswith("deleted-")
        await wait_for_erasure(tmp_path)
    assert read_rows(tmp_path, "SELECT * FROM memberships") == []
    assert not [row for row in read_rows(tmp_path, "SELECT text FROM entries") if '"ann"' in row[0]]


async def test_the_guest_key_of_a_deleted_account_is_ignored(server: RunningServer, tmp_path: Path) -> None:
    async with raw_client(server.url) as guest:
        joined = await guest.join("tea", "ann")
    await server.account_service.create_account("ann", password=None, address="127.0.0.1", member_id=joined["memberId"])
    await server.account_service.delete_account_by_name("ann", "keep")
    async with raw_client(server.url) as impostor:
        assert (await impostor.join("tea", "ann", guestKey=joined["guestKey"]))["memberId"] != joined["memberId"]


async def test_the_room_of_a_deleted_last_owner_has_no_owner(server: RunningServer, tmp_path: Path) -> None:
    issued = await create_account(server, "ann")
    async with open_connection(server, {"token": issued.token}) as (ann, _), raw_client(server.url) as bob:
        assert (await ann.request("createRoom", {"roomName": "tea"}))["ok"]
        assert read_rows(tmp_path, "SELECT role FROM memberships") == [("owner",)]
        await bob.join("tea", "bob")
        await server.account_service.delete_account_by_name("ann", "keep")
        await wait_for_erasure(tmp_path)
        assert read_rows(tmp_path, "SELECT role FROM memberships") == []
        assert (await bob.request("sendMessage", {"room": "tea", "message": "hi"}))["ok"]
