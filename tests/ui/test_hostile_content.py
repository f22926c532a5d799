"""Hostile content from a server without sanitizing, displayed by the complete client.

- Cells: the terminal displays exactly the rows that the client rendered.
- Sequences: the client writes only its own control sequences.
- Isolation: received content never changes the composer, the header or the footer.
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
from hypothesis import Phase, given, settings, strategies as st
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import AppBlur

from tests.support.hostile_server import hostile_server
from tests.support.pyte_screen import PyteScreen, strip_zero_width
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client import sanitize
from tui_chat.session.settings.settings_file import SettingsFile
from tui_chat.session.start_options import StartOptions
from tui_chat.session.store.profile import Profile
from tui_chat.ui.app import ChatApp
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.timeline import layout

STYLES = re.compile("\x1b\\[[0-9;]*m")


class MemoryDriver(HeadlessDriver):
    """Textual driver with a pyte screen as terminal.

    Attributes:
        pyte_screen: Displayed cells.
        written: All parts of the output.
    """

    pyte_screen: PyteScreen
    _displayed_rows: tuple[str, ...] | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.written: list[str] = []

    @property
    def is_headless(self) -> bool:
        """Return False: pyte is the terminal."""
        return False

    def write(self, data: str) -> None:
        """Record the output and feed the pyte screen, without styles, which change no cells."""
        if not self.written:
            self.pyte_screen = PyteScreen(*(self._size or (80, 24)))
            self._stream = pyte.Stream(self.pyte_screen)
        self.written.append(data)
        self._stream.feed(STYLES.sub("", data))
        self._displayed_rows = None

    def displayed_rows(self) -> tuple[str, ...]:
        """Return the rows of the pyte screen without trailing blanks."""
        if self._displayed_rows is None:
            self._displayed_rows = tuple(row.rstrip() for row in self.pyte_screen.display)
        return self._displayed_rows


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
PIECE_LISTS = st.lists(
    st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=9
)
HOSTILE_TEXTS = PIECE_LISTS.map("".join)

OWN_SEQUENCES = re.compile(
    "\x1b\\[[0-9;]*[mHABCD]"
    "|\x1b\\[\\?(?:25|1000|1002|1003|1004|1006|1015|1016|1049|2004|2026|2048|7)[hl]"
    "|\x1b\\]8;id=[0-9-]+;[!-~]*\x1b\\\\|\x1b\\]8;;\x1b\\\\"
    "|\x1b\\]777;notify;[^\x00-\x1f\x7f-\x9f;]*;[^\x00-\x1f\x7f-\x9f;]*\x1b\\\\"
    "|\x1b\\]2;[^\x00-\x1f\x7f-\x9f]*\x1b\\\\|\x1b\\[2[23];[02](?:;[02])?t"
    "|\x1b\\]22;[a-z-]+\x07"  # pointer shape
)


class ScriptedServer:
    """Server script with one room; `texts` fill every text field of responses and pushes."""

    def __init__(self) -> None:
        self.seq = count(1)
        self.socket: web.WebSocketResponse | None = None
        self.texts: list[str] = ["x"] * 8

    async def respond(self, socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        self.socket = socket
        texts = self.texts
        if event == "joinRoom":
            room = {"name": "tea", "topic": "t", "logId": "log", "firstSeq": 1, "lastSeq": 0, "visibility": "public"}
            members = [{"memberId": "a", "nickName": "ann", "role": "member"}]
            return {
                **{"ok": True, "room": room, "nickName": "ann", "memberId": "a", "guestKey": "k"},
                **{"members": members, "messages": [], "hasMore": False},
            }
        if event == "listRooms":
            rooms = [
                {"name": texts[number], "topic": texts[7 - number], "members": 1, "lastSeq": 1} for number in (0, 1)
            ]
            return {"ok": True, "rooms": rooms}
        if event == "search":
            hit = {**self._message_body(texts[0], texts[1]), "seq": 1, "id": 1}
            messages = [{**hit, "room": room} for room in ("tea", texts[2])]
            return {"ok": True, "messages": messages, "hasMore": False}
        if event == "setTopic":
            return {"ok": False, "error": {"code": "forbidden", "message": texts[3]}}
        return {"ok": True}

    async def push_texts(self, texts: list[str], last_text: str) -> None:
        self.texts = texts
        first = self._message(texts[0], texts[1])
        member = {"memberId": f"m{first['seq']}", "nickName": texts[4], "role": texts[5], "via": texts[6]}
        base = {"room": "tea", "nickName": texts[2], "memberId": "m", "ts": 1}
        update_base = {**base, "target": first["seq"]}
        await self._push("message", first)
        await self._push("message", {**self._message(texts[3], f"ann: {texts[2]}"), "replyTo": first["seq"]})
        await self._push(
            "update", {**update_base, **self._next_position(), "kind": "reaction", "emoji": texts[4], "on": True}
        )
        await self._push("update", {**update_base, **self._next_position(), "kind": "edit", "message": texts[5]})
        await self._push("update", {**base, **self._next_position(), "kind": "topic", "topic": texts[6]})
        await self._push("presence", {"room": "tea", "joined": [member], "left": [], "renamed": []})
        await self._push("typing", {"room": "tea", "memberId": member["memberId"], "on": True})
        await self._push("message", {**base, "kind": "join", "message": texts[7], "via": texts[0]})
        await self._push("message", {**base, "kind": "nick", "message": texts[7], "oldNickName": texts[1]})
        await self._push("message", {**self._message("zed", last_text)})

    def _message(self, nick: str, text: str) -> dict[str, Any]:
        return {**self._next_position(), **self._message_body(nick, text)}

    def _message_body(self, nick: str, text: str) -> dict[str, Any]:
        member = {"nickName": nick, "memberId": "m", "via": self.texts[6]}
        return {**member, "kind": "message", "room": "tea", "message": text, "ts": 1}

    def _next_position(self) -> dict[str, int]:
        seq = next(self.seq)
        return {"seq": seq, "id": seq}

    async def _push(self, event: str, body: dict[str, Any]) -> None:
        assert self.socket is not None
        await self.socket.send_str("42" + json.dumps([event, body]))


@dataclass
class ClientHarness:
    """Running client with its pyte terminal and its scripted server.

    Attributes:
        timeout: Maximum wait for the invariants in seconds.
        rounds: Number of checked lists of texts.
    """

    app: ChatApp
    driver: MemoryDriver
    server: ScriptedServer
    timeout: float = TIMEOUT
    rounds: int = 0

    async def check_texts(self, texts: list[str]) -> None:
        """Push the texts, open every view that displays them, and check all invariants."""
        self.rounds += 1
        last_text = f"the end of {self.rounds}"
        before = len(self.driver.written)
        self.app.post_message(AppBlur())  # notifications require a terminal without focus
        await self.server.push_texts(texts, last_text)
        await wait_until(lambda: self.displays(last_text))
        await self.wait_for_consistency()
        chat = next(screen for screen in self.app.screen_stack if isinstance(screen, ChatScreen))
        for command in ("/list", "/topic x"):
            chat.run_input(command)
        await self.wait_for_consistency()
        chat.run_input("/search a")
        await wait_until(lambda: self.app.screen is not chat)
        await self.wait_for_consistency()
        await self.app.run_action("pop_screen")
        await wait_until(lambda: self.app.screen is chat)
        await self.wait_for_consistency()
        self.assert_only_own_sequences("".join(self.driver.written[before:]))

    def displays(self, text: str) -> bool:
        return any(text in row for row in self.driver.displayed_rows())

    async def wait_for_consistency(self) -> None:
        """Wait until the invariants Cells and Isolation hold; raise `AssertionError` after `timeout`."""
        try:
            await wait_until(
                lambda: self.rendered_rows() == self.driver.displayed_rows() and self.has_intact_frame(), self.timeout
            )
        except TimeoutError:
            pairs = zip(self.rendered_rows(), self.driver.displayed_rows(), strict=True)
            differing = [pair for pair in pairs if pair[0] != pair[1]]
            raise AssertionError(
                f"rendered and displayed rows differ, or composer, footer or header is incomplete: {differing}"
            ) from None

    def rendered_rows(self) -> tuple[str, ...]:
        strips = self.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage] - no public access
        return tuple(strip_zero_width(strip.crop(0, SIZE[0]).text).rstrip() for strip in strips[: SIZE[1]])

    def has_intact_frame(self) -> bool:
        """Return whether composer, footer and header show their texts, or a screen covers them."""
        is_covered = not isinstance(self.app.screen, ChatScreen)
        return is_covered or (
            self.displays("COMPOSED TEXT") and self.displays("Ctrl+Q quit") and self.displays("● online")
        )

    def assert_only_own_sequences(self, written: str) -> None:
        """Check the invariant Sequences."""
        for sequence in SEQUENCES:
            assert sequence not in written
        remainder = OWN_SEQUENCES.sub("", written)
        control = re.search("[\x00-\x09\x0b-\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", remainder)
        assert control is None, repr(remainder[max(0, control.start() - 40) : control.end() + 40])


@asynccontextmanager
async def running_client(folder: Path) -> AsyncGenerator[ClientHarness]:
    """Run the client in the room of a scripted server, with a text in the composer."""
    server = ScriptedServer()
    async with hostile_server(server.respond) as port:
        settings_file = SettingsFile.load(folder / "settings.toml")
        for name, value in (("notification_method", "osc777"), ("notify", "all")):
            assert settings_file.change(name, value) == ""
        options = StartOptions(
            state=folder, log=folder / "log", server=f"http://127.0.0.1:{port}", room="tea", nick="ann"
        )
        app = ChatApp(options, Profile(), "", settings_file)
        app.driver_class = MemoryDriver
        async with app.run_test(headless=False, size=SIZE):
            driver = app._driver  # pyright: ignore[reportPrivateUsage] - the output is under test
            assert isinstance(driver, MemoryDriver)
            client = ClientHarness(app, driver, server)
            await wait_until(lambda: driver.written and client.displays("● online"))
            chat = next(screen for screen in app.screen_stack if isinstance(screen, ChatScreen))
            chat.set_composer_text("COMPOSED TEXT")
            await client.wait_for_consistency()
            yield client


async def test_hostile_content_stays_in_its_cells_and_writes_no_sequences(tmp_path: Path) -> None:
    async with running_client(tmp_path) as client:
        loop = asyncio.get_running_loop()

        # Shrinking would repeat each wait until its timeout.
        @settings(max_examples=25, database=None, phases=[Phase.explicit, Phase.generate])
        @given(st.lists(HOSTILE_TEXTS, min_size=8, max_size=8))
        def check_texts(texts: list[str]) -> None:
            asyncio.run_coroutine_threadsafe(client.check_texts(texts), loop).result()

        await client.check_texts(["".join(PIECES)] * 8)
        await asyncio.to_thread(check_texts)


def unchanged(text: str, *_lengths: int) -> str:
    return text


@pytest.mark.parametrize("hostile_text", ["a\x1b[10;10Hb", "a\x1b[5;66mb"])
async def test_the_checks_fail_without_sanitizing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hostile_text: str
) -> None:
    patches: list[tuple[Any, str, Callable[..., str]]] = [
        *((sanitize, name, unchanged) for name in ("line", "body")),
        *((layout, name, unchanged) for name in ("sanitize_line", "sanitize_body")),
    ]
    for module, name, replacement in patches:
        monkeypatch.setattr(module, name, replacement)
    async with running_client(tmp_path) as client:
        client.timeout = 5
        with pytest.raises((AssertionError, TimeoutError)):
            await client.check_texts([hostile_text] * 8)
