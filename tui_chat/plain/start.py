"""`chat-tui --screen-reader`: ask what the join form asks, then talk until it is over.

Rule 1  Who goes to another server and cannot be there is back where they were.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from server.protocol import names
from server.protocol.errors import ChatError
from tui_chat.client import address
from tui_chat.client.chat import ChatClient
from tui_chat.client.outbox import Outbox
from tui_chat.plain.talk import Talk
from tui_chat.plain.terminal import PlainTerminal
from tui_chat.session import refusals, remembered, words
from tui_chat.session.kept_writing import KeptWriting
from tui_chat.session.language import tr
from tui_chat.session.remembered import Identity
from tui_chat.session.settings_file import SettingsFile

UNAVAILABLE = 69
AGAIN_WITHIN = 2.0
SENT_WITHIN = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command line: where to go, as far as it was said.

    Attributes:
        state: The folder of what is remembered.
    """

    server: str
    room: str
    nick: str
    state: Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where to talk.

    Attributes:
        url: The server's base URL.
        come_back: Go into the rooms, too, that were open there before.
    """

    url: str
    room: str
    nick: str
    come_back: bool


def run(wanted: Wanted, settings: SettingsFile) -> int:
    """Talk until it is over; the exit code."""
    kept, problem = remembered.load(wanted.state)
    for told in filter(None, (problem, *settings.problems)):
        print(told)
    try:
        found = _address(wanted.server, kept.server)
        room = _asked(tr(words.LABEL_ROOM), wanted.room or found.room or "", kept.room, names.validate_room_name)
        nick = _asked(tr(words.LABEL_NICK), wanted.nick, kept.nick, names.validate_nickname)
    except (EOFError, KeyboardInterrupt):
        return 0
    print(words.connecting_to(found.base_url), flush=True)
    place = Place(found.base_url, room, nick, come_back=not wanted.room)
    return asyncio.run(_talk_until_over(place, wanted.state, settings))


def serving(starting: Coroutine[None, None, str]) -> str:
    """Wait for the own server to listen; its URL. Raises what starting raises."""
    return asyncio.run(starting)


def _address(given: str, last: str) -> address.Address:
    default = f"127.0.0.1:{address.DEFAULT_PORT}"
    while True:
        try:
            return address.parse_address(given or _line(tr(words.LABEL_SERVER), last or default))
        except ValueError as fault:
            print(refusals.sentence(str(fault)))
            given = ""


def _asked(label: str, given: str, last: str, checked: object) -> str:
    """What was given or is typed now, as `checked` has it."""
    assert callable(checked)
    while True:
        try:
            return str(checked(given or _line(label, last)))
        except ChatError as refusal:
            print(refusals.of(refusal))
            given = ""


def _line(label: str, usual: str) -> str:
    return input(f"{label} [{usual}]: " if usual else f"{label}: ").strip() or usual


async def _talk_until_over(place: Place, state: Path, settings: SettingsFile) -> int:
    terminal = PlainTerminal()
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    _take_signals(ended, terminal)
    before: Place | None = None
    try:
        while not ended.done():
            try:
                following = await _talk(place, state, settings, terminal, ended)
            except ChatError as refusal:
                terminal.say(refusals.of(refusal))
                if before is None:
                    return UNAVAILABLE
                following = before
            if following is None:
                break
            terminal.say(words.connecting_to(following.url))
            before, place = (place if following is not before else None), following
        return ended.result() if ended.done() else 0
    finally:
        terminal.close()


async def _talk(
    place: Place, state: Path, settings: SettingsFile, terminal: PlainTerminal, ended: "asyncio.Future[int]"
) -> Place | None:
    """Talk on one server.

    Returns:
        Where to go on, None when it is over.

    Raises:
        ChatError: The server or the room cannot be entered.
    """
    url, room, nick = place.url, place.room, place.nick
    kept, _ = remembered.load(state)
    async with (
        Outbox(state) as outbox,
        KeptWriting(state, url, nick, history=False, on_problem=terminal.say) as left,
    ):
        chat = ChatClient(url, guest_key=kept.guest_key(url, nick), outbox=outbox, max_messages=None)
        talk = Talk(chat, settings, left, terminal.say, lambda: time.time_ns() // 1_000_000)
        talk.begin()
        async with chat:
            await talk.enter(room, nick)
            kept = replace(remembered.load(state)[0], room=room, nick=nick, server=url)
            if problem := remembered.save(state, kept.with_identity(Identity(url, nick, chat.guest_key or ""))):
                terminal.say(problem)
            if place.come_back and settings.settings.come_back:
                await talk.come_back()
            terminal.say(tr("Type a message and press Enter. /help lists the commands, /quit leaves."))
            terminal.open(talk.completed)
            await _until_over(talk, terminal, ended)
            if talk.going_to is None or ended.done():
                return None
            here = talk.room
            return Place(
                talk.going_to.base_url,
                names.validate_room_name(talk.going_to.room)
                if talk.going_to.room
                else here.name
                if here is not None
                else room,
                here.nick if here is not None else nick,
                come_back=True,
            )


async def _until_over(talk: Talk, terminal: PlainTerminal, ended: "asyncio.Future[int]") -> None:
    tasks: set[asyncio.Task[object]] = {
        asyncio.create_task(talk.listen()),
        asyncio.create_task(_typing(talk, terminal)),
        asyncio.create_task(talk.leaving.wait()),
    }
    try:
        await asyncio.wait({*tasks, ended}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _typing(talk: Talk, terminal: PlainTerminal) -> None:
    while not talk.leaving.is_set() and (line := await terminal.line()) is not None:
        await talk.typed(line)
    with suppress(TimeoutError):  # what was typed last is given a moment; the outbox keeps it
        async with asyncio.timeout(SENT_WITHIN):
            await talk.all_sent.wait()


def _take_signals(ended: "asyncio.Future[int]", terminal: PlainTerminal) -> None:
    if sys.platform == "win32":
        return
    loop, last = asyncio.get_running_loop(), [-AGAIN_WITHIN]

    def stopped(number: int) -> None:
        if not ended.done():
            ended.set_result(128 + number)

    def interrupted() -> None:
        again = loop.time() - last[0] < AGAIN_WITHIN
        last[0] = loop.time()
        if again:
            stopped(signal.SIGINT)
        else:
            print(flush=True)
            print(tr(words.QUIT_AGAIN), flush=True)

    loop.add_signal_handler(signal.SIGINT, interrupted)
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopped, number)
