"""Test vectors of outbox and reconnect delays against the Python implementation."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec

from tests.support.vectors import load_vectors, vector_cases
from tests.support.wait import wait_until
from tui_chat.client import join
from tui_chat.client.errors import ConnectionLost
from tui_chat.client.net import backoff, connector, transport
from tui_chat.client.net.gate import Gate
from tui_chat.client.outbox import retry_policy
from tui_chat.client.outbox.sender import OutboxSender
from tui_chat.client.outbox.store import Outbox, OutboxScope
from tui_chat.client.outbox_item import OutboxItem, OutboxItemState, OutboxRequest
from tui_chat.client.room_context import ClientContext, RoomContext
from tui_chat.client.task_set import TaskSet
from tui_chat.protocol.codec import decode_request
from tui_chat.protocol.errors import ERRORS_BY_CODE, NotFound
from tui_chat.protocol.requests import SendMessage
from tui_chat.protocol.responses import ChangeAccepted, SendResponse

SCOPE = OutboxScope(server_url="http://chat.example", room="tea", identity_hash="", nick="ann")


def make_request(event: str, body: dict[str, Any], client_id: UUID) -> OutboxRequest:
    """Return the request of an item; only messages have a client id."""
    fields = {"room": "tea", **body, **({"clientId": client_id} if event == "sendMessage" else {})}
    return cast(OutboxRequest, decode_request(event, msgspec.json.encode(fields)))


class ScriptedTransport:
    """Connection with scripted responses; a request without a response waits.

    Attributes:
        is_waiting: True after a request without a response.
    """

    basic_room = None

    def __init__(self, run: "OutboxRun") -> None:
        self._run = run
        self._responses: list[dict[str, Any]] = []
        self.is_waiting = False

    def set_responses(self, responses: Sequence[dict[str, Any]]) -> None:
        """Set the responses of the next requests, in order."""
        self._responses = list(responses)

    async def request(self, request: OutboxRequest, response_type: type[Any]) -> SendResponse | ChangeAccepted:
        """Record a request; return or raise its response."""
        self._run.record_request(request)
        if not self._responses:
            self.is_waiting = True
            await asyncio.Event().wait()
        response = self._responses.pop(0)
        if "lost" in response:
            raise ConnectionLost("not_connected")
        if "error" in response:
            raise ERRORS_BY_CODE[response["error"]](
                response.get("reason", ""), message="rejected", retry_after=response.get("retryAfter")
            )
        if isinstance(request, SendMessage):
            return SendResponse(seq=response["seq"], id=1, ts=1, duplicate=False)
        return ChangeAccepted(revision=response["seq"])


class OutboxRun:
    """Outbox of one room under the operations of a case.

    Args:
        tmp_path: Directory of `outbox`, for cases with items of another process.
        outbox: Stored items; None for items in memory.

    Attributes:
        requests: Client id, name and text of each request.
        delays: Delays of the retries in seconds.
    """

    def __init__(self, tmp_path: Path, outbox: Outbox | None) -> None:
        self.requests: list[str] = []
        self.delays: list[float] = []
        self._tmp_path = tmp_path
        self._last_id = 0
        self._tasks = TaskSet()
        self._transport = ScriptedTransport(self)
        client_context = ClientContext(
            url=SCOPE.server_url,
            connector=cast(Any, self),
            tasks=self._tasks,
            emit=lambda event: None,
            new_id=self._new_id,
            now_ms=lambda: 0,
            max_messages=None,
            guest_key=None,
        )
        context = RoomContext(client_context, key=SCOPE.room, nick_key=SCOPE.nick, name="tea", nick="ann")
        self.gate: Gate[Any] = context.gate  # shared by room and connector
        self.sender = OutboxSender(context, outbox, cast(Any, None), deliver=cast(Any, None), sleep=self._sleep)

    @property
    def items(self) -> list[str]:
        """Client ids and states of the unsent items."""
        return [f"{item.client_id.int} {item.state.value}" for item in self.sender.unsent]

    def record_request(self, request: OutboxRequest) -> None:
        """Record a request, and assert that the first pending item has this request."""
        item = next(item for item in self.sender.unsent if item.state is OutboxItemState.PENDING)
        assert item.request == request
        if isinstance(request, SendMessage):
            assert request.client_id == item.client_id
        self.requests.append(f"{item.client_id.int} {request.event} {item.text}")

    async def run(self, operation: dict[str, Any]) -> None:
        """Run an operation, and wait for its requests."""
        match operation["op"]:
            case "connect":
                self._transport.set_responses(operation["responses"])
                self.gate.set(self._transport)
            case "add":
                self.sender.post(make_request(operation["event"], operation["body"], UUID(int=0)))
            case "adopt":
                await self._add_orphans(operation["items"])
                await self.sender.claim_orphans()
            case "retry" | "drop" as name:
                with suppress(KeyError):  # no effect
                    getattr(self.sender, name)(UUID(int=int(operation["id"])))
            case name:
                raise AssertionError(name)
        await self._wait_until_blocked()

    async def close(self) -> None:
        """Cancel waiting requests."""
        await self._tasks.cancel_all()

    async def _wait_until_blocked(self) -> None:
        """Wait until the queue is empty, or waits for a connection or a response."""

        def is_blocked() -> bool:
            has_pending_items = any(item.state is OutboxItemState.PENDING for item in self.sender.unsent)
            return self.gate.value is None or self._transport.is_waiting or not has_pending_items

        await self.sender.flush()
        await wait_until(is_blocked)

    async def _add_orphans(self, items: list[dict[str, Any]]) -> None:
        """Store items of a process that has ended."""
        async with Outbox(self._tmp_path) as ended_process:
            for item in items:
                client_id = UUID(int=int(item["id"]))
                request = make_request("sendMessage", item["body"], client_id)
                await ended_process.add(SCOPE, OutboxItem("tea", client_id, request, 0))
                if item["failed"]:
                    await ended_process.set_error(client_id, NotFound("message_not_found"))

    def _new_id(self) -> UUID:
        self._last_id += 1
        return UUID(int=self._last_id)

    async def _sleep(self, seconds: float) -> None:
        self.delays.append(seconds)
        await asyncio.sleep(0)


@vector_cases("outbox", "operations")
async def test_the_outbox_matches_the_vectors(case: dict[str, Any], tmp_path: Path) -> None:
    needs_storage = any(operation["op"] == "adopt" for operation in case["operations"])
    async with Outbox(tmp_path) as outbox:
        run = OutboxRun(tmp_path, outbox if needs_storage else None)
        for operation in case["operations"]:
            await run.run(operation)
        result = {"requests": run.requests, "delays": run.delays, "items": run.items}
        await run.close()
    assert result == case["expected"]


@vector_cases("outbox", "backoff")
def test_reconnect_delays_match_the_vectors(case: dict[str, Any]) -> None:
    delays = backoff.Backoff(lambda: case["random"], lambda: 0.0)
    result: list[float] = []
    for operation in case["backoff"]:
        if operation == "next":
            result.append(delays.next_delay())
        elif operation == "stable":
            delays.reset_failures()
        elif "skip" in operation:
            for _ in range(operation["skip"]):
                delays.next_delay()
        else:
            delays.set_announced_delay(operation["announced"])
    assert result == case["expected"]


def test_delays_and_timeouts_match_the_vectors() -> None:
    modules = (retry_policy, backoff, connector, transport, join)
    expected = load_vectors("outbox")["constants"]
    constants = {name: next(vars(module)[name] for module in modules if name in vars(module)) for name in expected}
    assert constants == expected
