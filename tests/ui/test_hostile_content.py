"""The whole program among people who send anything, by way of a server that cleans nothing.

Rule 1  The terminal shows what the program thinks that it has drawn, cell by cell.
Rule 2  No control sequence is written that is not one of the program's own.
Rule 3  What belongs to nobody else (what is being written, the keys below) stays as it was.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pyte
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import AppBlur
from wcwidth import wcwidth

from tests.support.hostile_server import hostile_server
from tests.support.wait import wait_until
from tui_chat.client import sanitize
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.store.profile import Profile
from tui_chat.ui.app import ChatApp
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.start_options import StartOptions
from tui_chat.ui.timeline import layout


class PyteScreen(pyte.Screen):
    """pyte, but for its habit of dropping the rest of a run after a mark that NFC does not know."""

    def draw(self, data: str) -> None:
        """Put these characters on the screen, without those that take no cell."""
        super().draw(strip_zero_width(data))


class MemoryDriver(HeadlessDriver):
    """A driver whose terminal is a pyte screen.

    Attributes:
        screen: What is shown.
        written: All that was written.
    """

    pyte_screen: PyteScreen
    written: str = ""

    @property
    def is_headless(self) -> bool:
        """There is a terminal, though nobody sees it."""
        return False

    def write(self, data: str) -> None:
        """Show it."""
        if not self.written:
            self.pyte_screen = PyteScreen(*(self._size or (80, 24)))
            self._stream = pyte.Stream(self.pyte_screen)
        self.written += data
        self._stream.feed(data)


def strip_zero_width(text: str) -> str:
    """What of a text takes cells."""
    return "".join(character for character in text if character < " " or wcwidth(character) > 0)


SIZE = (110, 30)
SEQUENCES = [
    "\x1b[2J",
    "\x1b[10;10H",
    "\x1b[5;66m",
    "\x9b31m",
    "\x1b]52;c;aGFjaw==\x07",
    "\x1b]0;hacked\x07",
    "\x1b]8;;http://evil.example\x1b\\",
    "\x1b]777;notify;x;y\x1b\\",
    "\x1bP$q\x1b\\",
    "\x1bc",
    "\x1b[?1049l",
    "\x9d0;t\x9c",
]
PIECES = [
    *SEQUENCES,
    *"\x00\x07\x08\x0b\x0e\x1b\x7f\x85\x9b\r\n\t",
    "\u2028",
    "\u202e",
    "\u2066",
    "\u200b",
    "\xad",
    "\u0301" * 9,
    "👩\u200d💻",
    "🇨🇳",
    "漢字",
    "[red]",
    "[/]",
    "[@click=app.quit]x[/]",
    "$text",
    ";",
    " ",
    "https://a.example/x",
    "@ann",
    "a",
]
texts = st.lists(st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=9)
words = texts.map("".join)

OWN = re.compile(
    "\x1b\\[[0-9;]*[mHABCD]"
    "|\x1b\\[\\?(?:25|1000|1002|1003|1004|1006|1015|1016|1049|2004|2026|2048|7)[hl]"
    "|\x1b\\]8;id=[0-9-]+;[!-~]*\x1b\\\\|\x1b\\]8;;\x1b\\\\"
    "|\x1b\\]777;notify;[^\x00-\x1f\x7f-\x9f;]*;[^\x00-\x1f\x7f-\x9f;]*\x1b\\\\"
    "|\x1b\\]2;[^\x00-\x1f\x7f-\x9f]*\x1b\\\\|\x1b\\[2[23];[02](?:;[02])?t"
    "|\x1b\\]22;[a-z-]+\x07"  # the pointer's shape
)


class Talker:
    """The server: one room, in which it says what it is told to."""

    def __init__(self) -> None:
        self.seq = count(1)
        self.socket: web.WebSocketResponse | None = None
        self.said: list[str] = ["x"] * 8

    async def answer(self, socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        self.socket = socket
        said = self.said
        if event == "joinRoom":
            room = {"name": "tea", "topic": "t", "lastSeq": 0, "visibility": "public"}
            members = [{"memberId": "a", "nickName": "ann", "role": "member"}]
            return {
                **{"ok": True, "room": room, "nickName": "ann", "memberId": "a", "guestKey": "k"},
                **{"members": members, "messages": [], "hasMore": False},
            }
        if event == "listRooms":
            rooms = [{"name": said[number], "topic": said[7 - number], "members": 1, "lastSeq": 1} for number in (0, 1)]
            return {"ok": True, "rooms": rooms}
        if event == "search":
            hit = {**self._said_by(said[0], said[1]), "seq": 1, "id": 1}
            found = [{**hit, "room": room} for room in ("tea", said[2])]
            return {"ok": True, "messages": found, "hasMore": False}
        if event == "setTopic":
            return {"ok": False, "error": {"code": "forbidden", "message": said[3]}}
        return {"ok": True}

    async def say(self, said: list[str], last: str) -> None:
        self.said = said
        first = self._message(said[0], said[1])
        member = {"memberId": f"m{first['seq']}", "nickName": said[4], "role": said[5], "via": said[6]}
        who = {"room": "tea", "nickName": said[2], "memberId": "m", "ts": 1}
        about = {**who, "target": first["seq"]}
        await self._push("message", first)
        await self._push("message", {**self._message(said[3], f"ann: {said[2]}"), "replyTo": first["seq"]})
        await self._push("update", {**about, **self._numbers(), "kind": "reaction", "emoji": said[4], "on": True})
        await self._push("update", {**about, **self._numbers(), "kind": "edit", "message": said[5]})
        await self._push("update", {**who, **self._numbers(), "kind": "topic", "topic": said[6]})
        await self._push("presence", {"room": "tea", "joined": [member], "left": [], "renamed": []})
        await self._push("typing", {"room": "tea", "memberId": member["memberId"], "on": True})
        await self._push("message", {**who, "kind": "join", "message": said[7], "via": said[0]})
        await self._push("message", {**who, "kind": "nick", "message": said[7], "oldNickName": said[1]})
        await self._push("message", {**self._message("zed", last)})

    def _message(self, nick: str, text: str) -> dict[str, Any]:
        return {**self._numbers(), **self._said_by(nick, text)}

    def _said_by(self, nick: str, text: str) -> dict[str, Any]:
        member = {"nickName": nick, "memberId": "m", "via": self.said[6]}
        return {**member, "kind": "message", "room": "tea", "message": text, "ts": 1}

    def _numbers(self) -> dict[str, int]:
        seq = next(self.seq)
        return {"seq": seq, "id": seq}

    async def _push(self, event: str, body: dict[str, Any]) -> None:
        assert self.socket is not None
        await self.socket.send_str("42" + json.dumps([event, body]))


@dataclass
class Seat:
    """One person at the program, and the server that talks to it."""

    app: ChatApp
    driver: MemoryDriver
    talker: Talker
    rounds: int = 0

    async def hear(self, said: list[str]) -> None:
        """Let everything be said, look at all that shows it, and see that the rules hold."""
        self.rounds += 1
        last = f"the end of {self.rounds}"
        before = len(self.driver.written)
        self.app.post_message(AppBlur())  # one who looks is not notified
        await self.talker.say(said, last)
        await wait_until(lambda: self.shows(last))
        await self.agrees()
        chat = next(screen for screen in self.app.screen_stack if isinstance(screen, ChatScreen))
        for command in ("/list", "/topic x"):
            chat.run_input(command)
        await self.agrees()
        chat.run_input("/search a")
        await wait_until(lambda: self.app.screen is not chat)
        await self.agrees()
        await self.app.run_action("pop_screen")
        await wait_until(lambda: self.app.screen is chat)
        await self.agrees()
        self.wrote_nothing_foreign(self.driver.written[before:])

    def shows(self, text: str) -> bool:
        return any(text in row for row in self.driver.pyte_screen.display)

    async def agrees(self) -> None:
        """Rules 1 and 3, once everything is drawn."""
        try:
            await wait_until(lambda: self.drawn() == self.shown() and self.landmarks(), 5)
        except TimeoutError:
            pairs = zip(self.drawn(), self.shown(), strict=True)
            differing = [pair for pair in pairs if pair[0] != pair[1]]
            raise AssertionError(f"drawn and shown differ, or a landmark is gone: {differing}") from None

    def drawn(self) -> list[str]:
        strips = self.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage] - the only way
        return [strip_zero_width(strip.crop(0, SIZE[0]).text).rstrip() for strip in strips[: SIZE[1]]]

    def shown(self) -> list[str]:
        return [row.rstrip() for row in self.driver.pyte_screen.display]

    def landmarks(self) -> bool:
        on_top = not isinstance(self.app.screen, ChatScreen)
        return on_top or (self.shows("LANDMARK") and self.shows("Ctrl+Q quit") and self.shows("● online"))

    def wrote_nothing_foreign(self, written: str) -> None:
        """Rule 2."""
        for sequence in SEQUENCES:
            assert sequence not in written
        rest = OWN.sub("", written)
        foreign = re.search("[\x00-\x09\x0b-\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", rest)
        assert foreign is None, repr(rest[max(0, foreign.start() - 40) : foreign.end() + 40])


@asynccontextmanager
async def seated(folder: Path) -> AsyncGenerator[Seat]:
    talker = Talker()
    async with hostile_server(talker.answer) as port:
        kept = SettingsFile.load(folder / "settings.toml")
        for name, value in (("notify_by", "osc777"), ("notify", "all")):
            assert kept.change(name, value) == ""
        start = StartOptions(
            state=folder, log=folder / "log", server=f"http://127.0.0.1:{port}", room="tea", nick="ann"
        )
        app = ChatApp(start, Profile(), "", kept)
        app.driver_class = MemoryDriver
        async with app.run_test(headless=False, size=SIZE):
            driver = app._driver  # pyright: ignore[reportPrivateUsage] - what it writes is what this is about
            assert isinstance(driver, MemoryDriver)
            seat = Seat(app, driver, talker)
            await wait_until(lambda: driver.written and seat.shows("● online"))
            chat = next(screen for screen in app.screen_stack if isinstance(screen, ChatScreen))
            chat.set_composer_text("LANDMARK")
            await seat.agrees()
            yield seat


async def test_whatever_people_send_stays_where_it_belongs_and_is_text(tmp_path: Path) -> None:
    async with seated(tmp_path) as seat:
        loop = asyncio.get_running_loop()

        @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
        @given(st.lists(words, min_size=8, max_size=8))
        def hear(said: list[str]) -> None:
            asyncio.run_coroutine_threadsafe(seat.hear(said), loop).result()

        await seat.hear(["".join(PIECES)] * 8)
        await asyncio.to_thread(hear)


def as_it_is(text: str, *_lengths: int) -> str:
    return text


@pytest.mark.parametrize("nasty", ["a\x1b[10;10Hb", "a\x1b[5;66mb"])
async def test_without_the_cleaning_the_same_test_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nasty: str
) -> None:
    cleaners: list[tuple[Any, str, Callable[..., str]]] = [
        *((sanitize, name, as_it_is) for name in ("line", "body")),
        *((layout, name, as_it_is) for name in ("clean_line", "clean_body")),
    ]
    for module, name, replacement in cleaners:
        monkeypatch.setattr(module, name, replacement)
    async with seated(tmp_path) as seat:
        with pytest.raises((AssertionError, TimeoutError)):
            await seat.hear([nasty] * 8)
