"""Server and connected persons of a model test, and requests in the dialect of each person."""

import asyncio
import itertools
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from tests.support.account_api import ApiResponse, account_api
from tests.support.event_source import event_source
from tests.support.in_process_server import running_server
from tests.support.permission_model import KINDS, ExpectedRoom
from tests.support.persons import Person, connect_person
from tests.support.raw_client import RawClient, raw_client

ResultT = TypeVar("ResultT")


class Stage:
    """Server and persons of all examples, on an event loop of their own."""

    def __init__(self, directory: Path) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._room_numbers = itertools.count(1)
        self.persons: dict[str, Person] = {}
        self._group_clients: dict[str, RawClient] = {}  # connections of the conversation dialect by account
        self.direct = ExpectedRoom("", "direct", roles={"owner": "member", "ann": "member"})
        self.run(self._open(directory))

    def run(self, awaitable: Awaitable[ResultT]) -> ResultT:
        """Run an awaitable on the event loop, and return its result."""
        return self._runner.get_loop().run_until_complete(awaitable)  # without the signal handler of `Runner.run`

    async def _open(self, directory: Path) -> None:
        server = await self._stack.enter_async_context(running_server(directory, rate_limit="off", conversations="on"))
        self._url = server.url
        self._api = await self._stack.enter_async_context(account_api(server.url))
        for name, (kind, _) in KINDS.items():
            self.persons[name] = await self._stack.enter_async_context(connect_person(server, name, kind))
        for name, person in self.persons.items():
            if person.token:
                client = raw_client(server.url, headers={"Authorization": person.token})
                self._group_clients[name] = await self._stack.enter_async_context(client)
        for name in KINDS:  # a first join gives each guest a member id
            assert await join(self.persons[name], name, "lobby") == ""
            assert await self.persons[name].attempt("leaveRoom", room="lobby") == ""

    def request_http(self, name: str, method: str, path: str, **options: Any) -> ApiResponse:
        """Send an HTTP request with the credentials of a person."""
        api = self._api.with_headers(Authorization=self.persons[name].authorization)
        return self.run(api.request(method, path, **options))

    def read_events(self, name: str, room: str, last_seq: int) -> list[dict[str, Any]]:
        """Return the entries in the event stream of a room from its start up to the entry `last_seq`."""

        async def read() -> list[dict[str, Any]]:
            headers = {"Authorization": self.persons[name].authorization}
            async with event_source(self._url, quote(room), query="?after=0", headers=headers) as source:
                assert await source.read() is not None
                entries: list[dict[str, Any]] = []
                while not entries or entries[-1]["seq"] < last_seq:
                    event = await source.read()
                    assert event is not None
                    entries.append(event.data)
                return entries

        return self.run(read()) if last_seq else []

    def expect_group_push(self, model: ExpectedRoom, text: str) -> None:
        """Assert that the next push of a group to each of its members is the message with this text."""
        for name in self._group_clients.keys() & model.roles.keys():
            pushed = self.run(self._group_clients[name].wait_for_push(f"group-message:{model.group_id}"))
            assert pushed["content"].partition("\n")[0] == text, name

    def expect_no_group_push(self) -> None:
        """Check that no account has received a push of a group since the last expected one."""
        for name, client in self._group_clients.items():
            self.run(client.request("unobserve", {"room": "lobby"}))  # the response follows all earlier pushes
            packets, client.pushes = client.pushes, []
            assert not [packet for packet in packets if packet.startswith('42["group-message:')], name

    def next_number(self) -> int:
        """Return a number that no earlier example has used."""
        return next(self._room_numbers)

    def close(self) -> None:
        """Disconnect the persons, and stop the server."""
        self.run(self._stack.aclose())
        self._runner.close()


async def join(person: Person, name: str, room: str) -> str:
    """Join a room in the dialect of the person; return an empty text or the reason of the error."""
    match KINDS[name][1]:
        case "string_join":
            arguments: tuple[Any, ...] = (room, name)
        case "server_msg":
            arguments = ({"nickName": name, "id": 1, "roomId": room},)
        case _:
            return await person.join(room)
    response = await person.client.request("joinRoom", *arguments)
    if response["ok"]:
        person.member_id = response["memberId"]
    return "" if response["ok"] else response["error"]["reason"]


async def send(person: Person, name: str, room: str, text: str) -> dict[str, Any]:
    """Send a message in the dialect of the person, and return the acknowledgement."""
    if KINDS[name][1] == "server_msg":
        return await person.client.request("client_msg", {"msg": text, "nickName": name, "roomId": room, "userId": 1})
    return await person.client.request("sendMessage", {"room": room, "message": text})
