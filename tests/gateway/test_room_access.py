"""Access to rooms: invisible addresses, durable memberships and the creation of rooms."""

import asyncio
from pathlib import Path

import pytest

from server.app import RunningServer
from server.domain.room_access import AccessState, Requester
from server.storage.log_reader import LogReader
from tests.support.accounts import connect_account
from tests.support.address_requests import ADDRESS, ADDRESS_REQUESTS, request_without_ack
from tests.support.in_process_server import running_server
from tests.support.persons import connect_person
from tests.support.raw_client import RawClient, raw_client
from tests.support.wait import wait_until


async def test_an_unknown_address_is_not_found(client: RawClient) -> None:
    for event, body in ADDRESS_REQUESTS:
        response = await client.request(event, body)
        assert (response["error"]["code"], response["error"]["reason"]) == ("not_found", "room_not_found"), event
        assert await request_without_ack(client, event, body) == response["error"], event
    assert (await client.request("listRooms", {}))["rooms"] == []


async def test_an_address_is_rejected_as_a_room_name(client: RawClient) -> None:
    response = await client.request("createChatroom", {"name": ADDRESS})
    assert response["error"]["code"] == "room_invalid"
    created = await client.request("createChatroom", {"name": "tea"})
    response = await client.request("updateChatroom", {"id": created["id"], "name": ADDRESS})
    assert response["error"]["code"] == "room_invalid"


async def test_the_first_join_of_an_account_makes_it_a_durable_member_until_it_forgets_the_room(
    server: RunningServer,
) -> None:
    async with connect_account(server, "ann") as ann, raw_client(server.url) as guest:
        first = await ann.join("tea", "ann")
        assert first["room"]["role"] == "member"
        (entry,) = first["messages"]
        assert (entry["kind"], entry["action"], entry["target"]["account"]) == ("member", "joined", "ann")
        await ann.request("leaveRoom", {"room": "tea"})
        assert (await ann.join("tea", "ann"))["messages"] == [entry]
        assert (await ann.request("leaveRoom", {"room": "tea", "forget": True}))["ok"]
        assert (await ann.request("leaveRoom", {"room": "tea", "forget": True}))["ok"]
        messages = (await guest.join("tea", "guest"))["messages"]
        assert [message["action"] for message in messages] == ["joined", "left"]
        assert (await ann.join("tea", "ann"))["room"]["lastSeq"] == 3


async def test_only_accounts_create_rooms_if_the_operator_requires_it(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rooms="accounts", rate_limit="off") as server,
        connect_account(server, "ann") as ann,
        raw_client(server.url) as guest,
    ):
        for event, body in (
            ("joinRoom", {"roomName": "tea", "nickName": "eve"}),
            ("observe", {"room": "tea"}),
            ("sendMessage", {"room": "tea", "message": "hi", "as": {"nickName": "eve"}}),
            ("createChatroom", {"name": "tea"}),
        ):
            response = await guest.request(event, body)
            assert response["error"]["code"] == "forbidden"
        await ann.join("tea", "ann")
        await guest.join("tea", "guest")


async def test_only_administrators_create_rooms_if_the_operator_requires_it(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rooms="admins") as server,
        connect_person(server, "ann", "account") as ann,
        connect_person(server, "root", "admin") as admin,
    ):
        assert await ann.join() == "room_creation_restricted"
        assert await admin.join() == ""
        assert await ann.join() == ""


async def test_an_access_read_before_a_revocation_is_not_cached_after_it(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_access, pause, may_return = LogReader.read_access, asyncio.Event(), asyncio.Event()

    async def read_slowly(reader: LogReader, room_key: str, requester: Requester) -> AccessState:
        state = await read_access(reader, room_key, requester)
        if pause.is_set():
            pause.clear()
            await may_return.wait()
        return state

    monkeypatch.setattr(LogReader, "read_access", read_slowly)
    async with (
        connect_person(server, "root", "admin") as root,
        connect_person(server, "ben", "account") as ben,
        connect_person(server, "eve", "account") as eve,
    ):
        for person in (root, ben):
            assert await person.join() == ""
        assert await root.attempt("setRole", memberId=ben.member_id, role="moderator") == ""
        assert await ben.attempt("audit") == ""
        pause.set()
        slow_request = asyncio.create_task(eve.attempt("listInvites"))
        await wait_until(lambda: not pause.is_set())
        assert await root.attempt("setRole", memberId=ben.member_id, role="member") == ""
        may_return.set()
        assert await slow_request == "moderators_only"
        assert await ben.attempt("audit") == "moderators_only"
