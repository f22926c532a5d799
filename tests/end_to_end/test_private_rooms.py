"""A private room in real terminals and a page, from the registration of its owner to a night offline."""

import base64
import re
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import expect

from server.app import RunningServer, serve
from server.settings import ServerSettings
from tests.support.accounts import PASSWORD
from tests.support.browser import Browser
from tests.support.chat_page import ChatPage
from tests.support.cli_command import run_command
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until
from tui_chat.client.accounts import AccountClient

pytestmark = [pytest.mark.needs_chromium]

COPIED_TEXT = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)(?:\x07|\x1b\\)")
MINUTE = 60_000
NIGHT = 10 * 60 * MINUTE


@dataclass
class ShiftedClock:
    """Wall clock of the clients in milliseconds since the epoch, with an offset."""

    offset: int = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.offset


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def server(tmp_path: Path, clock: ShiftedClock) -> AsyncGenerator[RunningServer]:
    settings = ServerSettings(port=0, database=str(tmp_path / "chat.db"), rate_limit="off", registration="open")
    async with serve(settings, now=clock) as running:
        yield running


class TerminalUsers:
    """Terminals of persons, each with a home directory of its own."""

    def __init__(self, stack: AsyncExitStack, directory: Path) -> None:
        self._stack = stack
        self._directory = directory

    def get_home(self, name: str) -> Path:
        home = self._directory / name
        home.mkdir(exist_ok=True)
        return home

    async def start(self, name: str, *arguments: str) -> PtyTerminal:
        """Start the client of a person."""
        command = (*CHAT_TUI, *arguments)
        return await self._stack.enter_async_context(terminal(command, self.get_home(name), columns=160, rows=30))

    async def join_tea(self, name: str, url: str, *arguments: str) -> PtyTerminal:
        """Start the client of a person in room `tea`."""
        return await self.start(name, url, "--room", "tea", "--nick", name, *arguments)


@pytest.fixture
async def users(tmp_path: Path) -> AsyncGenerator[TerminalUsers]:
    async with AsyncExitStack() as stack:
        yield TerminalUsers(stack, tmp_path)


async def run(tui: PtyTerminal, text: str, expected: str) -> None:
    """Submit a text, and wait for its effect on the screen."""
    tui.write_keys(f"{text}\r")
    await tui.wait_for_text(expected)


async def leave_for_tea(tui: PtyTerminal, displayed: str) -> None:
    """Switch to room `tea`, and wait until a text of the previous room is no longer displayed."""
    tui.write_keys("/go tea\r")
    await wait_until(lambda: displayed not in tui.screen_text())


async def wait_for_unread(tui: PtyTerminal, room: str, count: int) -> None:
    """Wait for a room with a number of unread messages in the room list."""
    try:
        await wait_until(lambda: re.search(rf"{room} +{count}\b", tui.screen_text()))
    except TimeoutError:
        raise AssertionError(f"{room} has not {count} unread messages:\n{tui.screen_text()}") from None


async def read_copied_text(tui: PtyTerminal) -> str:
    """Return the text that the program has copied to the clipboard."""
    await wait_until(lambda: COPIED_TEXT.search(tui.written))
    return base64.b64decode(COPIED_TEXT.findall(tui.written)[-1]).decode()


async def test_a_registered_owner_invites_by_link_and_moderates(
    server: RunningServer, clock: ShiftedClock, users: TerminalUsers, browser: Browser
) -> None:
    ann, bob = [await users.join_tea(name, server.url) for name in ("ann", "bob")]
    cat = await users.join_tea("cat", server.url, "--screen-reader")
    for tui in (ann, bob):
        await tui.wait_for_text("3 here")
    await run(ann, "/register", "Repeat")
    ann.write_keys(f"{PASSWORD}\r{PASSWORD}\r\r")
    await ann.wait_for_text("account ann")
    await run(ann, "/create --private Board", "2 Board")
    await run(ann, "secret plans", "✓ secret plans")
    await run(ann, "/invite", "Invite for 10 people")
    link = await read_copied_text(ann)
    address, _, invite = link.rpartition("/")[2].partition("?invite=")

    await run(bob, "/search secret", "no results")
    bob.write_keys("\x1b")
    await wait_until(lambda: "no results" not in bob.screen_text())
    await run(bob, f"/join {link}", "secret plans")
    page = ChatPage(await browser.open_tab())
    await page.page.goto(f"{server.url}/#/{address}?invite={invite}")
    await page.page.locator("#join-nick").fill("dan")
    await page.page.locator("#join-submit").click()
    await page.expect_messages("secret plans")
    await run(cat, f"/join {address}", "No such room.")
    await run(cat, f"/join {link}x", "No such room, or the invite")
    await run(cat, "/search secret", "No such message.")
    await run(cat, "/list", "tea · 3 here")
    assert "Board" not in cat.screen_text()

    await run(ann, "/silence bob 1m", "ann silenced bob")
    await run(bob, "too loud", "silenced in this room")
    clock.offset += MINUTE
    await run(bob, "quiet again", "✓ quiet again")
    await run(ann, "/kick bob calm down", "ann removed bob")
    await bob.wait_for_text("You are no longer in Board: ann removed bob (calm down).")
    await run(bob, f"/join {link}", "quiet again")
    await run(ann, "/ban bob spam", "address")
    ann.write_keys("y")
    await bob.wait_for_text("You are no longer in Board: ann banned bob (spam).")
    await run(bob, f"/join {link}", "No such room, or the invite")
    await run(ann, "/unban bob", "ann ended the ban of bob.")
    await run(bob, f"/join {link}", "quiet again")
    await page.expect_messages("secret plans", "quiet again")
    await expect(page.page.locator("#timeline-lines .notice", has_text="ann ended the ban of bob")).to_have_count(1)
    page.assert_no_errors()


async def test_a_direct_message_waits_overnight_and_is_unread_in_all_terminals_of_an_account(
    server: RunningServer, clock: ShiftedClock, users: TerminalUsers
) -> None:
    for name in ("ann", "cat"):
        await AccountClient(server.url).register(name, PASSWORD)
    for home, name in (("ann", "ann"), ("laptop", "ann"), ("cat", "cat")):
        login = ("login", server.url, "--account", name)
        assert (await run_command(users.get_home(home), *login, stdin=PASSWORD))[0] == 0
    ann, cat = [await users.join_tea(name, server.url) for name in ("ann", "cat")]
    await ann.wait_for_text("2 here")
    await run(ann, "/msg cat still there?", "✓ still there?")
    await cat.wait_for_text("@ann")
    cat.write_keys("\x11")
    assert await cat.wait_closed() == 0
    await run(ann, "good night", "✓ good night")
    clock.offset += NIGHT
    cat = await users.start("cat")
    await cat.wait_for_text("Nickname")
    await run(cat, "", "@ann")
    await wait_for_unread(cat, "@ann", 2)
    await run(cat, "/query ann", "good night")
    await cat.wait_for_text("── new ──")

    await leave_for_tea(ann, "good night")
    await run(cat, "good morning", "✓ good morning")
    await wait_for_unread(ann, "@cat", 1)
    await run(ann, "/create --private Board", "2 Board")
    await run(ann, "/invite", "Invite for 10 people")
    await run(cat, f"/join {await read_copied_text(ann)}", "2 Board")
    await leave_for_tea(ann, "Invite for 10 people")
    await run(cat, "morning plans", "✓ morning plans")
    await wait_for_unread(ann, "Board", 1)
    laptop = await users.join_tea("laptop", server.url)
    await wait_for_unread(laptop, "@cat", 1)
    await wait_for_unread(laptop, "Board", 1)
    await run(laptop, "/go Board", "Switch room")
    await run(laptop, "", "morning plans")
    await wait_until(lambda: not re.search(r"Board +1\b", ann.screen_text()))
    await run(laptop, "/query cat", "good morning")
    await wait_until(lambda: not re.search(r"@cat +1\b", ann.screen_text()))
