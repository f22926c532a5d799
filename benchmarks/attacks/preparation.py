"""State of the server before an attack: members or messages of the room `attack`.

Each client of a preparation has an address of its own, because the server limits connections per address.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from string import ascii_letters

from benchmarks.attacks.traffic import discard_input, websocket
from tests.support.raw_client import raw_client
from tests.support.raw_websocket import encode_text_frames
from tui_chat.protocol.limits import REACTIONS_PER_MESSAGE

Preparation = Callable[[int], AbstractAsyncContextManager[None]]
"""Function with the port of the server; the returned context contains the state."""

_CONCURRENT_JOINS = 100
_MESSAGES_PER_AUTHOR = 10  # with their reactions below the packet limit of a connection


@asynccontextmanager
async def no_preparation(_port: int) -> AsyncGenerator[None]:
    """Leave the new server unchanged."""
    yield


def joined_members(count: int, nick: str) -> Preparation:
    """Return a preparation that adds members to the room, which read all pushes and answer no pings.

    Args:
        count: Number of members.
        nick: Requested nickname of all members, with `{number}` in place of the number of the member.
    """

    @asynccontextmanager
    async def prepare(port: int) -> AsyncGenerator[None]:
        free = asyncio.Semaphore(_CONCURRENT_JOINS)
        async with AsyncExitStack() as stack:

            async def join(number: int) -> None:
                async with free:
                    reader, writer = await stack.enter_async_context(websocket(port, _get_address(number)))
                    nick_name = nick.format(number=number)
                    writer.write(
                        encode_text_frames(
                            f'420["joinRoom",{{"roomName":"attack","nickName":"{nick_name}","limit":1}}]'
                        )
                    )
                    await reader.readuntil(b'430[{"ok":true')
                stack.callback(asyncio.create_task(discard_input(reader)).cancel)

            await asyncio.gather(*map(join, range(count)))
            yield

    return prepare


def messages_with_reactions(count: int) -> Preparation:
    """Return a preparation that writes messages with as many different reactions as the server permits."""

    @asynccontextmanager
    async def prepare(port: int) -> AsyncGenerator[None]:
        await asyncio.gather(
            *(
                _write_messages_with_reactions(port, first, min(_MESSAGES_PER_AUTHOR, count - first))
                for first in range(0, count, _MESSAGES_PER_AUTHOR)
            )
        )
        yield

    return prepare


async def _write_messages_with_reactions(port: int, first: int, count: int) -> None:
    """Write messages with the maximum number of different reactions as one author.

    Args:
        port: Port of the server.
        first: Number of the first message and of the author.
        count: Number of messages.
    """
    headers = {"X-Forwarded-For": _get_address(first)}
    async with raw_client(f"http://127.0.0.1:{port}", headers=headers) as author:
        await author.join("attack", f"author {first}")
        for number in range(first, first + count):
            message = await author.request("sendMessage", {"room": "attack", "message": f"message {number}"})
            reaction = {"room": "attack", "seq": message["seq"], "on": True}
            request_ids = [
                await author.start_request("react", {**reaction, "emoji": letter})
                for letter in ascii_letters[:REACTIONS_PER_MESSAGE]
            ]
            responses = [await author.read_response(request_id) for request_id in request_ids]
            assert all(response["ok"] for response in responses), responses


def _get_address(number: int) -> str:
    """Return an address of the range for benchmarks (RFC 2544)."""
    return f"198.18.{number >> 8}.{number & 255}"
