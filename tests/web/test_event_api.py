"""Server-sent events of rooms on a running server: content, resumption, ends, backpressure and limits."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, web

from server.app import RunningServer
from server.gateway.room_entry import RoomEntry
from server.web.api import events as event_api
from tests.support.account_api import AccountApiClient, account_api
from tests.support.event_source import EventSource, event_source
from tests.support.in_process_server import running_server
from tests.support.persons import Person, connect_person
from tests.support.slow_reader import create_slow_connector
from tests.support.wait import wait_until
from tui_chat.protocol import responses

EVENTS = "/api/rooms/tea/events"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[Person]:
    """Account in room `tea`."""
    async with connect_person(server, "ann", "account") as person:
        assert await person.join() == ""
        yield person


async def test_a_stream_contains_each_entry_of_the_log_in_order(server: RunningServer, ann: Person) -> None:
    async with event_source(server.url) as live:
        opening = await live.read()
        assert opening is not None
        assert (opening.name, opening.id, opening.data["name"]) == ("room", None, "tea")
        seq = await ann.send("helo\n: data")
        assert await ann.attempt("editMessage", seq=seq, message="hello") == ""
        assert await ann.attempt("react", seq=seq, emoji="👍", on=True) == ""
        assert await ann.attempt("setTopic", topic="green") == ""
        assert await ann.attempt("deleteMessage", seq=seq) == ""
        received = [await live.read() for _ in range(5)]
        log = await ann.read_log()
        assert [(event.name, event.id) for event in received if event] == [
            ("message", seq),
            *(("update", seq + number) for number in range(1, 5)),
        ]
        assert received[0] is not None
        assert received[0].data["message"] == "helo\n: data"
        assert [event.data for event in received[2:] if event] == log[-3:]  # the deletion erases the edit in the log
        headers = live.response.headers
        assert (headers["Content-Type"], headers["Cache-Control"]) == ("text/event-stream", "no-store")
    for query, header in (("?after=0", {}), ("?after=4", {"Last-Event-ID": "0"})):
        async with event_source(server.url, query=query, headers=header) as complete:
            assert (await complete.read()) is not None
            assert [event and event.data for event in [await complete.read() for _ in log]] == log


async def test_the_idle_time_starts_after_the_last_event_stream(server: RunningServer, ann: Person) -> None:
    async with event_source(server.url) as last:
        assert await last.read() is not None
        await ann.client.ws.close()
        await wait_until(lambda: server.read_metrics().connections == 0)
        assert server.idle_time() == 0.0
    await wait_until(lambda: server.idle_time() > 0.0)


async def test_an_entry_after_the_state_of_the_room_is_sent(
    server: RunningServer, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe = RoomEntry.observe

    async def observe_after_a_message(*arguments: Any) -> responses.ObserveResponse:
        await ann.send("between")
        return await observe(*arguments)

    monkeypatch.setattr(RoomEntry, "observe", observe_after_a_message)
    async with event_source(server.url) as source:
        opening, event = await source.read(), await source.read()
        assert opening is not None
        assert event is not None
        assert (event.id, event.data["message"]) == (opening.data["lastSeq"] + 1, "between")


async def test_a_reader_that_is_interrupted_repeatedly_receives_each_entry_once(
    server: RunningServer, ann: Person
) -> None:
    texts = [str(number) for number in range(600)]
    sender = asyncio.create_task(ann.client.send_messages("tea", texts))
    received: list[str] = []
    last_id, interruptions = 0, 0
    while len(received) < len(texts):
        async with event_source(server.url, headers={"Last-Event-ID": str(last_id)}) as source:
            await source.read()
            for _ in range(1 + 37 * interruptions % 90):
                event = await source.read()
                assert event is not None
                last_id += 1
                assert event.id == last_id
                if event.name == "message":
                    received.append(event.data["message"])
                if len(received) == len(texts):
                    break
            source.abort()
        interruptions += 1
    await sender
    assert received == texts
    assert interruptions > 5


async def end_of_stream(source: EventSource) -> list[str]:
    """Wait for the end of a stream with its reconnect delay; return the names of its last events."""
    names = [event.name for event in await source.read_until_end()]
    assert source.retry == 1000
    return names


async def test_a_stream_ends_with_the_access_of_its_reader(server: RunningServer, api: AccountApiClient) -> None:
    async with AsyncExitStack() as stack:
        owner, bob, eve = [
            await stack.enter_async_context(connect_person(server, name, "account")) for name in ("own", "bob", "eve")
        ]
        room = (await owner.client.request("createRoom", {"title": "Vault", "visibility": "private"}))["room"]["name"]
        outsider = await api.with_token(eve.token).request("GET", f"/api/rooms/{room}/events")
        missing = await api.with_token(eve.token).request("GET", "/api/rooms/~aaaaaaaaaaaaaaaa/events")
        assert (outsider.status, outsider.body) == (404, missing.body)
        code = (await owner.client.request("createInvite", {"room": room}))["invite"]["code"]
        for person in (bob, eve):
            assert await person.join(room, invite=code) == ""

        async def open_stream(person: Person) -> EventSource:
            authorization = {"Authorization": person.authorization}
            source = await stack.enter_async_context(event_source(server.url, room, headers=authorization))
            await source.read()
            return source

        first, second, third = [await open_stream(person) for person in (bob, eve, owner)]
        assert await owner.attempt("ban", room=room, memberId=bob.member_id) == ""
        assert (await end_of_stream(first))[-1:] == ["update"]
        assert await eve.attempt("leaveRoom", room=room, forget=True) == ""
        assert (await end_of_stream(second))[-1:] == ["update"]
        assert await owner.attempt("deleteRoom", room=room) == ""
        await end_of_stream(third)


async def test_a_stream_ends_at_the_revocation_of_its_token_and_at_the_shutdown(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack, AsyncExitStack() as server_stack:
        server = await server_stack.enter_async_context(running_server(tmp_path))
        ann = await stack.enter_async_context(connect_person(server, "ann", "account"))
        assert await ann.join() == ""
        token = {"Authorization": ann.authorization}
        account_stream = await stack.enter_async_context(event_source(server.url, headers=token))
        guest_stream = await stack.enter_async_context(event_source(server.url))
        await account_stream.read()
        await guest_stream.read()
        api = await stack.enter_async_context(account_api(server.url))
        assert (await api.with_token(ann.token).request("DELETE", "/api/sessions/current")).status == 204
        await end_of_stream(account_stream)
        assert (await api.with_token(ann.token).request("GET", EVENTS)).reason == "token_invalid"
        assert (await api.request("GET", "/api/rooms/nowhere/events")).reason == "room_not_found"
        assert (await api.with_headers(Last_Event_ID="x").request("GET", EVENTS)).reason == "field_invalid"
        assert (await api.request("HEAD", EVENTS)).status == 200
        shutdown = asyncio.create_task(server_stack.aclose())
        await end_of_stream(guest_stream)
        await shutdown


async def test_entries_after_the_revocation_are_not_sent_to_a_slow_reader(
    server: RunningServer, ann: Person, api: AccountApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_writing, may_write = asyncio.Event(), asyncio.Event()
    write = web.StreamResponse.write

    async def write_later(response: web.StreamResponse, data: bytes) -> None:
        if b"before" in data:
            is_writing.set()
            await may_write.wait()
        await write(response, data)

    monkeypatch.setattr(web.StreamResponse, "write", write_later)
    async with (
        connect_person(server, "bob", "account") as bob,
        event_source(server.url, headers={"Authorization": bob.authorization}) as source,
    ):
        await source.read()
        await ann.send("before")
        await is_writing.wait()
        assert (await api.with_token(bob.token).request("DELETE", "/api/sessions/current")).status == 204
        await ann.send("after")
        may_write.set()
        assert [event.data["message"] for event in await source.read_until_end()] == ["before"]


async def test_a_slow_reader_is_disconnected_and_resumes(tmp_path: Path) -> None:
    count = 500
    async with (
        running_server(tmp_path, rate_limit="off", max_unsent_bytes=200_000) as server,
        connect_person(server, "ann", "account") as ann,
    ):
        assert await ann.join() == ""
        async with (
            event_source(server.url) as other,
            event_source(server.url, connector=create_slow_connector()) as slow,
        ):
            assert server.read_metrics().observers == 2
            reading = asyncio.create_task(read_messages(other, count))
            await ann.client.send_messages("tea", ["x" * 4_000] * count)
            last_id = await reading
            await wait_until(lambda: server.read_metrics().observers == 1)
            with pytest.raises(ClientError):
                await slow.read_until_end()
        await wait_until(lambda: server.read_metrics().observers == 0)
        async with event_source(server.url, headers={"Last-Event-ID": "1"}) as resumed:
            assert await read_messages(resumed, count) == last_id


async def read_messages(source: EventSource, count: int) -> int:
    """Read a number of messages; return the id of the last one."""
    last_id = 0
    while count:
        event = await source.read()
        assert event is not None
        count -= event.name == "message"
        last_id = event.id or 0
    return last_id


async def test_streams_count_as_connections_of_their_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_api, "HEARTBEAT", 0.01)
    settings = {"trusted_proxy": ("127.0.0.0/8",), "connections_per_address": 2}
    address = {"X-Forwarded-For": "192.0.2.7"}
    async with (
        running_server(tmp_path, **settings) as server,
        connect_person(server, "ann", "account") as ann,
        account_api(server.url) as api,
    ):
        assert await ann.join() == ""
        limited = api.with_headers(X_Forwarded_For="192.0.2.7")
        async with event_source(server.url, headers=address):
            async with event_source(server.url, headers=address) as second:
                refused = await limited.request("GET", EVENTS)
                assert (refused.status, refused.reason) == (429, "too_many_connections")
                while second.comment_count < 2:
                    await second.read_line()
                second.abort()
            await wait_until(lambda: server.read_metrics().observers == 1)
            assert (await limited.request("HEAD", EVENTS)).status == 200
    async with running_server(tmp_path, guests="off") as server, account_api(server.url) as api:
        assert (await api.request("GET", EVENTS)).reason == "credentials_missing"
