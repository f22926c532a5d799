"""Tokens of accounts in the connection: rejection, revocation and change."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.support.event_recorder import next_event
from tests.support.hostile_server import JOINED, hostile_server
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import AuthFailed, ConnectionStateChanged, Online
from tui_chat.client.outbox.store import Outbox
from tui_chat.protocol.errors import Unauthorized


class TokenServer:
    """Server that accepts guests and the tokens in `valid_tokens`, initially `ct_good`.

    Attributes:
        valid_tokens: Accepted tokens.
        presented: Tokens of all connections, None for a guest.
        requests: Token, event name and body of all requests.
        sockets: Connections with their tokens.
        url: Base URL, set by the fixture.
    """

    def __init__(self) -> None:
        self.valid_tokens = {"ct_good"}
        self.presented: list[str | None] = []
        self.requests: list[tuple[str | None, str, dict[str, Any]]] = []
        self.sockets: dict[web.WebSocketResponse, str | None] = {}
        self.url = ""
        self._seqs = itertools.count(1)

    def accepts(self, socket: web.WebSocketResponse, token: str | None) -> bool:
        """Record a connection, and return whether its token is valid."""
        self.presented.append(token)
        self.sockets[socket] = token
        return token is None or token in self.valid_tokens

    async def revoke(self, token: str) -> None:
        """Reject a token, and close its connections with the reason `account_suspended`."""
        self.valid_tokens.discard(token)
        for socket in [socket for socket, used_token in self.sockets.items() if used_token == token]:
            await socket.send_str('42["authFail",{"message":"the account is suspended","reason":"account_suspended"}]')
            await socket.close()

    async def handle(self, socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any]:
        """Record a request; accept a join, with the token as member id, and other requests as messages."""
        token = self.sockets[socket]
        self.requests.append((token, event, body))
        if event == "joinRoom":
            guest_key = "" if token else "k"
            return {**JOINED, "nickName": body["nickName"], "memberId": token or "guest", "guestKey": guest_key}
        seq = next(self._seqs)
        return {"ok": True, "seq": seq, "id": seq, "ts": seq, "duplicate": False}


@pytest.fixture
async def server() -> AsyncGenerator[TokenServer]:
    running = TokenServer()
    async with hostile_server(running.handle, accepts=running.accepts) as port:
        running.url = f"http://127.0.0.1:{port}"
        yield running


async def test_an_invalid_token_fails_requests_at_once_and_ends_the_attempts(server: TokenServer) -> None:
    async with ChatClient(server.url, token="ct_bad", connect_in_background=True) as chat:
        events = chat.events()
        with pytest.raises(Unauthorized) as caught:
            await chat.join("tea", nick="ann")
        assert caught.value.reason == "token_invalid"
        assert "\x1b" not in caught.value.message
        while not isinstance((await next_event(events, ConnectionStateChanged)).state, AuthFailed):
            pass
        with pytest.raises(Unauthorized):
            await chat.join("coffee", nick="ann")
        with pytest.raises(Unauthorized):
            await chat.list_rooms()
        chat.reconnect_now()
        await asyncio.sleep(0.6)  # twice the delay of the first reconnect
        assert isinstance(chat.state, AuthFailed)
        assert server.presented == ["ct_bad"]


async def test_a_revoked_token_ends_the_iteration_and_keeps_the_room_for_the_next_login(server: TokenServer) -> None:
    async with ChatClient(server.url, token="ct_good", account="ann") as chat:
        room = await chat.join("tea", nick="ann")
        reader = asyncio.create_task(anext(room))
        await server.revoke("ct_good")
        with pytest.raises(Unauthorized) as caught:
            await asyncio.wait_for(reader, TIMEOUT)
        assert caught.value.reason == "account_suspended"
        with pytest.raises(Unauthorized):
            await room.send("lost?")
        assert list(chat.rooms) == ["tea"]
        server.valid_tokens.add("ct_new")
        await chat.set_token("ct_new", "ann")
        await room.send("back")
        assert isinstance(chat.state, Online)
        assert room.member_id == "ct_new"
        assert server.presented == ["ct_good", "ct_new"]


async def test_a_login_and_a_logout_rejoin_the_rooms(server: TokenServer) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann2")
        assert chat.guest_key == "k"
        await chat.set_token("ct_good", "ann")
        await room.send("hello")
        assert room.member_id == "ct_good"
        _, _, rejoin = next(request for request in server.requests if request[0] == "ct_good")
        assert "guestKey" not in rejoin
        await chat.set_token(None)
        await room.send("as a guest")
        assert room.member_id == "guest"
        _, _, guest_rejoin = server.requests[-2]
        assert guest_rejoin["guestKey"] == "k"


async def test_unsent_messages_of_an_account_wait_for_its_next_login(server: TokenServer, tmp_path: Path) -> None:
    async with (
        Outbox(tmp_path) as outbox,
        ChatClient(server.url, token="ct_good", account="ann", outbox=outbox) as chat,
    ):
        room = await chat.join("tea", nick="ann")
        await server.revoke("ct_good")
        await wait_until(lambda: isinstance(chat.state, AuthFailed))
        room.post("later")
        await wait_until(lambda: room.unsent() and room.unsent()[0].persisted)
    async with Outbox(tmp_path) as outbox, ChatClient(server.url, outbox=outbox) as guest:
        room = await guest.join("tea", nick="bob")
        assert room.unsent() == ()
    server.valid_tokens.add("ct_new")
    async with (
        Outbox(tmp_path) as outbox,
        ChatClient(server.url, token="ct_new", account="ann", outbox=outbox) as chat,
    ):
        room = await chat.join("tea", nick="ann")
        await wait_until(lambda: not room.unsent())
    sent = [(token, body["message"]) for token, event, body in server.requests if event == "sendMessage"]
    assert sent == [("ct_new", "later")]


async def test_messages_posted_after_a_rejected_token_are_sent_after_the_login(server: TokenServer) -> None:
    async with ChatClient(server.url, token="ct_good", account="ann") as chat:
        room = await chat.join("tea", nick="ann")
        await server.revoke("ct_good")
        await wait_until(lambda: isinstance(chat.state, AuthFailed))
        room.post("first")
        room.post("second")
        server.valid_tokens.add("ct_new")
        await chat.set_token("ct_new", "ann")
        await wait_until(lambda: not room.unsent())
        assert [body["message"] for _, event, body in server.requests if event == "sendMessage"] == ["first", "second"]
