"""A real socket.io-client in a Node.js process of its own."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support.requirements import JAVASCRIPT, need_node

PATIENCE = 20.0
"""Seconds after which something that was waited for is called missing."""


class JavaScriptClient:
    """Drives the client and keeps everything it told, in order.

    Attributes:
        told: What the client's process wrote, parsed.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count(1)
        self._news = asyncio.Condition()
        self.told: list[dict[str, Any]] = []

    async def connect(self, url: str, **options: Any) -> None:
        """Connect and wait until the server let the client in."""
        self.tell({"do": "connect", "url": url, "options": options})
        await self.until(lambda: self.saw("connect"))

    def tell(self, command: dict[str, Any]) -> None:
        """Give the process a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    def emit(self, event: str, *args: Any) -> None:
        """Send an event without asking for an acknowledgement."""
        self.tell({"do": "emit", "event": event, "args": args})

    async def ask(self, event: str, *args: Any) -> Any:
        """Send an event and wait for its acknowledgement's one argument."""
        number = next(self._ids)
        self.tell({"do": "emit", "event": event, "args": args, "id": number})
        answers: list[Any] = []

        def answered() -> bool:
            answers[:] = [what["answer"] for what in self.told if what["on"] == "answer" and what["id"] == number]
            return bool(answers)

        await self.until(answered)
        return answers[0][0]

    def disconnect(self) -> None:
        """Leave."""
        self.tell({"do": "disconnect"})

    def saw(self, what: str) -> list[dict[str, Any]]:
        """Everything of one kind that the client told."""
        return [told for told in self.told if told["on"] == what]

    def events(self, name: str) -> list[Any]:
        """The first argument of every event of this name."""
        return [told["args"][0] for told in self.saw("event") if told["event"] == name]

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until the condition holds for what was told so far."""
        async with self._news, asyncio.timeout(PATIENCE):
            await self._news.wait_for(lambda: bool(happened()))

    async def listen(self) -> None:
        """Keep what the process tells, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            async with self._news:
                self.told.append(json.loads(line))
                self._news.notify_all()


@asynccontextmanager
async def javascript_client(version: str) -> AsyncGenerator[JavaScriptClient]:
    """A client of this version ("4.8.4"), not yet connected."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        need_node(), str(JAVASCRIPT / "client.mjs"), version, stdin=pipe, stdout=pipe, limit=1 << 20
    )
    client = JavaScriptClient(process)
    listening = asyncio.create_task(client.listen())
    try:
        yield client
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening
