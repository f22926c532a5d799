"""Detection of a basic server by its response to a join."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
import socketio
from aiohttp import web

from server.gateway.dispatcher import Dispatcher
from tests.support.basic_node_server import BasicNodeServer
from tests.support.hostile_server import hostile_server
from tests.support.in_process_server import running_server
from tests.support.messages import logged_messages
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.net import transport


@pytest.mark.needs_node
@pytest.mark.parametrize("join_response", ["ok", None, {"status": 200}, [1], {"ok": "yes"}, False])
async def test_an_unknown_join_response_means_a_basic_server(basic_server: BasicNodeServer, join_response: Any) -> None:
    basic_server.configure(ack=join_response, announces=False)
    async with ChatClient(basic_server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.is_basic_server
        assert (await tea.send("hello")).seq == 1


@pytest.mark.needs_node
@pytest.mark.usefixtures("short_timeouts")
async def test_a_missing_join_response_means_a_basic_server(basic_server: BasicNodeServer) -> None:
    basic_server.configure(announces=False)
    async with ChatClient(basic_server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.is_basic_server
        assert logged_messages(tea) == []


@pytest.mark.parametrize("arguments", ["", '"joined"', 'null,{"members":3}'], ids=["none", "one", "two"])
async def test_any_number_of_acknowledgement_arguments_means_a_basic_server(
    arguments: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 10 * TIMEOUT)

    async def acknowledge(socket: web.WebSocketResponse, event: str, _: dict[str, Any]) -> None:
        if event == "joinRoom":
            await socket.send_str(f"431[{arguments}]")

    async with hostile_server(acknowledge) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.is_basic_server


async def test_a_server_of_python_socketio_is_basic() -> None:
    server: Any = cast(Any, socketio).AsyncServer(async_mode="aiohttp")

    async def join_room(sid: str, request: dict[str, str]) -> None:
        await server.enter_room(sid, request["roomName"])
        await server.emit("message", {"nickName": request["nickName"], "message": f"-> {request['nickName']}"})

    async def send_message(_: str, request: dict[str, str]) -> None:
        await server.emit("message", {"nickName": request["nickName"], "message": request["message"]})

    server.on("joinRoom", join_room)
    server.on("sendMessage", send_message)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ChatClient(f"http://127.0.0.1:{runner.addresses[0][1]}") as ann:
            tea = await ann.join("tea", nick="ann")
            assert tea.is_basic_server
            await tea.send("hello")
            assert logged_messages(tea) == [("ann", "hello")]
    finally:
        await runner.cleanup()


@pytest.fixture
def dispatch_gate(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Delay every dispatched request of a native server until the returned event is set."""
    gate = asyncio.Event()
    dispatch = Dispatcher.dispatch

    async def wait_and_dispatch(self: Dispatcher, *args: Any, **kwargs: Any) -> bytes | None:
        await gate.wait()
        return await dispatch(self, *args, **kwargs)

    monkeypatch.setattr(Dispatcher, "dispatch", wait_and_dispatch)
    return gate


async def test_a_slow_native_server_is_not_taken_for_a_basic_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dispatch_gate: asyncio.Event
) -> None:
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 0.3)
    probe_results: list[bool] = []
    is_native_or_dead = transport.Transport._is_native_or_dead  # pyright: ignore[reportPrivateUsage]

    async def record_result(self: transport.Transport) -> bool:
        probe_results.append(await is_native_or_dead(self))
        return probe_results[-1]

    monkeypatch.setattr(transport.Transport, "_is_native_or_dead", record_result)
    async with running_server(tmp_path) as server, ChatClient(server.url) as ann:
        joining = asyncio.create_task(ann.join("tea", nick="ann"))
        await wait_until(lambda: probe_results == [True])
        dispatch_gate.set()
        tea = await joining
        assert not tea.is_basic_server
        assert (await tea.edit((await tea.send("hello")).seq, "hello!")).revision == 2


async def test_a_late_join_response_switches_to_the_native_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dispatch_gate: asyncio.Event
) -> None:
    monkeypatch.setattr(transport, "BASIC_SERVER_TIMEOUT", 0.3)

    async def return_false(self: transport.Transport) -> bool:
        return False

    monkeypatch.setattr(transport.Transport, "_is_native_or_dead", return_false)
    async with running_server(tmp_path) as server, ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        assert tea.is_basic_server
        dispatch_gate.set()
        await wait_until(lambda: not tea.is_basic_server)
        assert (await tea.send("hello")).seq == 1
