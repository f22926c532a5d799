"""Joins and observations that fail, or end with their connection, on a running server."""

import asyncio
from typing import Any

import pytest

from server.app import RunningServer
from server.storage.log_reader import JoinSnapshot, LogReader
from tests.support.polling_client import polling_client
from tests.support.raw_client import RawClient, raw_client
from tui_chat.protocol.errors import Unavailable


class SnapshotReads:
    """Reads of join snapshots, with optional faults.

    Attributes:
        error: Error of all further reads; None for success.
        blocks_next: The next read waits for `released`.
        blocked: A read waits.
        released: End of the wait.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        self.blocks_next = False
        self.blocked = asyncio.Event()
        self.released = asyncio.Event()
        read_join_snapshot = LogReader.read_join_snapshot

        async def read(log_reader: LogReader, *args: Any, **options: Any) -> JoinSnapshot:
            if self.blocks_next:
                self.blocks_next = False
                self.blocked.set()
                await self.released.wait()
            if self.error is not None:
                raise self.error
            return await read_join_snapshot(log_reader, *args, **options)

        monkeypatch.setattr(LogReader, "read_join_snapshot", read)


@pytest.fixture
async def reads(monkeypatch: pytest.MonkeyPatch) -> SnapshotReads:
    """Control of the snapshot reads, without faults at first."""
    return SnapshotReads(monkeypatch)


async def read_history(client: RawClient) -> dict[str, Any]:
    """Return the response to a `history` request, even an error."""
    return await client.request("history", {"room": "tea", "after": 0})


@pytest.mark.parametrize(
    ("event", "fields"), [("joinRoom", {"roomName": "tea", "nickName": "bob"}), ("observe", {"room": "tea"})]
)
async def test_an_internal_error_undoes_a_join_or_an_observation(
    reads: SnapshotReads, ann: RawClient, client: RawClient, event: str, fields: dict[str, str]
) -> None:
    reads.error = RuntimeError("unexpected")
    assert (await client.request(event, fields))["error"]["code"] == "internal"
    assert (await read_history(client))["error"]["code"] == "not_joined"
    reads.error = None
    assert (await ann.join("tea", "ann"))["memberCount"] == 1
    assert not [push for push in ann.pushes if '"message"' in push]


async def test_a_failed_repeated_observe_keeps_the_observation(reads: SnapshotReads, client: RawClient) -> None:
    assert (await client.request("observe", {"room": "tea"}))["ok"]
    reads.error = Unavailable("server_stopping", retry_after=1)
    assert not (await client.request("observe", {"room": "tea"}))["ok"]
    assert (await read_history(client))["ok"]


async def test_a_failed_repeated_join_sends_the_notice_of_its_new_nickname(
    reads: SnapshotReads, ann: RawClient, client: RawClient
) -> None:
    await client.join("tea", "bob")
    reads.error = RuntimeError("unexpected")
    assert not (await client.request("joinRoom", {"roomName": "tea", "nickName": "rob"}))["ok"]
    assert (await ann.wait_for_push("message"))["kind"] == "join"
    notice = await ann.wait_for_push("message")
    assert (notice["kind"], notice["oldNickName"], notice["nickName"]) == ("nick", "bob", "rob")


async def test_a_session_that_ends_during_its_first_join_has_no_leave_notice(
    server: RunningServer, reads: SnapshotReads, ann: RawClient
) -> None:
    async with polling_client(server.url) as bob:
        await bob.post("40")
        reads.blocks_next = True
        join = asyncio.create_task(bob.post('42["joinRoom",{"roomName":"tea","nickName":"bob"}]'))
        await reads.blocked.wait()
        assert (await bob.post("3")).status == 400  # a second POST ends the session
        while not (await ann.wait_for_push("presence"))["left"]:
            pass
        await ann.request("listRooms", {})
        assert not [push for push in ann.pushes if '"message"' in push]
        reads.released.set()
        await join


async def test_a_second_connection_announces_a_member_whose_first_join_ended(
    server: RunningServer, reads: SnapshotReads, ann: RawClient, client: RawClient
) -> None:
    guest_key = (await client.join("lobby", "bob"))["guestKey"]
    reads.blocks_next = True
    await client.ws.send_str('42["joinRoom",{"roomName":"tea","nickName":"bob"}]')
    await reads.blocked.wait()
    async with raw_client(server.url) as second:
        await second.join("tea", "bob", guestKey=guest_key)
        notice = await ann.wait_for_push("message")
        assert (notice["kind"], notice["nickName"]) == ("join", "bob")
        client.abort()
        reads.released.set()
    notice = await ann.wait_for_push("message")
    assert (notice["kind"], notice["nickName"]) == ("leave", "bob")
