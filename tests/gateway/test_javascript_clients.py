"""Released versions of socket.io-client, as basic and as native clients."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import create_account
from tests.support.in_process_server import running_server
from tests.support.javascript_client import javascript_client

pytestmark = pytest.mark.needs_node

VERSIONS = ["4.3.2", "4.8.4"]
TRANSPORTS = [["websocket"], ["polling"], ["polling", "websocket"]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
async def test_two_basic_clients_exchange_messages(tmp_path: Path, version: str, transports: list[str]) -> None:
    async with running_server(tmp_path) as server, javascript_client(version) as ann, javascript_client(version) as bob:
        for client, nick in ((ann, "ann"), (bob, "小明")):
            await client.connect(server.url, transports=transports)
            client.emit("joinRoom", {"roomName": "tea", "nickName": nick})
            await client.wait_until(lambda client=client: client.event_payloads("message"))
        await ann.wait_until(lambda: len(ann.event_payloads("message")) == 2)
        ann.emit("sendMessage", {"room": "tea", "nickName": "ann", "message": "hi"})
        bob.emit("sendMessage", {"room": "tea", "nickName": "ann", "message": "你好 👋"})
        await ann.wait_until(lambda: len(ann.event_payloads("message")) == 4)
        await bob.wait_until(lambda: len(bob.event_payloads("message")) == 3)
        received = [(push["nickName"], push["message"]) for push in ann.event_payloads("message")]
        assert received[:2] == [("ann", "ann 加入了 tea 房间"), ("小明", "小明 加入了 tea 房间")]
        assert sorted(received[2:]) == [("ann", "hi"), ("小明", "你好 👋")]
        assert [(push["nickName"], push["message"]) for push in bob.event_payloads("message")][1:] == received[2:]
        if transports == ["polling", "websocket"]:
            await ann.wait_until(lambda: ann.reports_of("upgrade"))


@pytest.mark.parametrize("version", VERSIONS)
async def test_messages_sent_during_the_upgrade_arrive_once_and_in_order(tmp_path: Path, version: str) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, javascript_client(version) as ann:
        await ann.connect(server.url, transports=["polling", "websocket"])
        await ann.request("joinRoom", {"roomName": "tea", "nickName": "ann"})
        for number in range(200):
            ann.emit("sendMessage", {"room": "tea", "message": str(number)})
        await ann.wait_until(lambda: ann.reports_of("upgrade"))
        for number in range(200, 300):
            ann.emit("sendMessage", {"room": "tea", "message": str(number)})
        await ann.wait_until(lambda: len(ann.event_payloads("message")) == 301)
        assert [push["message"] for push in ann.event_payloads("message") if push["kind"] == "message"] == [
            str(number) for number in range(300)
        ]


async def test_a_taken_nickname_gets_a_suffix(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, javascript_client("4.8.4") as ann, javascript_client("4.8.4") as bob:
        await ann.connect(server.url)
        await ann.request("joinRoom", {"roomName": "tea", "nickName": "ann"})
        await bob.connect(server.url)
        joined = await bob.request("joinRoom", {"roomName": "TEA", "nickName": "Ann"})
        assert joined["nickName"] == "Ann2"
        assert joined["room"]["name"] == "tea"
        assert [member["nickName"] for member in joined["members"]] == ["ann", "Ann2"]


async def test_a_disconnect_sends_a_leave_notice_and_presence(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, javascript_client("4.8.4") as ann, javascript_client("4.8.4") as bob:
        await ann.connect(server.url)
        await ann.request("joinRoom", {"roomName": "tea", "nickName": "ann"})
        await bob.connect(server.url)
        joined = await bob.request("joinRoom", {"roomName": "tea", "nickName": "bob"})
        bob.disconnect()
        await ann.wait_until(lambda: [push for push in ann.event_payloads("message") if push["kind"] == "leave"])
        await ann.wait_until(
            lambda: [push for push in ann.event_payloads("presence") if push["left"] == [joined["memberId"]]]
        )


async def test_a_repeated_client_id_returns_the_stored_message_as_duplicate(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, javascript_client("4.8.4") as ann:
        await ann.connect(server.url)
        await ann.request("joinRoom", {"roomName": "tea", "nickName": "ann"})
        message = {"room": "tea", "message": "hi", "clientId": "6f1e6a5c-3c44-4d33-8d5d-6a1f0f6a2b11"}
        first, repeat = await ann.request("sendMessage", message), await ann.request("sendMessage", message)
        assert (first["duplicate"], repeat) == (False, {**first, "duplicate": True})
        assert len([push for push in ann.event_payloads("message") if push["kind"] == "message"]) == 1


async def test_a_shutdown_announces_the_reconnect_delay(tmp_path: Path) -> None:
    async with javascript_client("4.8.4") as ann:
        async with running_server(tmp_path) as server:
            await ann.connect(server.url, reconnection=False)
        await ann.wait_until(lambda: ann.event_payloads("goingAway") and ann.reports_of("disconnect"))
        assert ann.event_payloads("goingAway")[0]["reconnectAfter"] > 0


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
@pytest.mark.parametrize("source", ["auth", "header"])
async def test_a_suspension_and_an_invalid_token_end_the_connection_with_auth_fail(
    tmp_path: Path, transports: list[str], source: str
) -> None:
    async with running_server(tmp_path) as server, javascript_client("4.8.4") as ann, javascript_client("4.8.4") as eve:
        issued = await create_account(server, "ann")

        def build_options(token: str) -> dict[str, Any]:
            credentials = {"auth": {"token": token}} if source == "auth" else {"extraHeaders": {"authorization": token}}
            return {"transports": transports, "reconnection": False, **credentials}

        await ann.connect(server.url, **build_options(issued.token))
        assert (await ann.request("joinRoom", {"roomName": "tea", "nickName": "x"}))["nickName"] == "ann"
        await server.account_service.suspend("ann")
        eve.start_connecting(server.url, **build_options("ct_forged"))
        suspended = {"message": "this account is suspended", "reason": "account_suspended"}
        invalid = {"message": "the token is not valid", "reason": "token_invalid"}
        for client, failure in ((ann, suspended), (eve, invalid)):
            await client.wait_until(lambda client=client: client.reports_of("disconnect"))
            assert client.event_payloads("authFail") == [failure]
