"""Input between the start of the program and the chat screen, in a real terminal."""

from pathlib import Path

from server.app import RunningServer
from tests.support.messages import message_texts
from tests.support.tcp_proxy import tcp_proxy
from tests.support.terminal import CHAT_TUI, PtyTerminal, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

JOIN = ("--room", "tea", "--nick", "ann")
CANCEL = "\x1b"


def composer_row(tty: PtyTerminal) -> str:
    """Return the row above the key bar."""
    return tty.screen.display[-2].strip()


def form_values(tty: PtyTerminal) -> list[str]:
    """Return the last word of each row with a field of the join form."""
    rows = tty.screen_text().splitlines()
    return [row.split()[-1] for row in rows if row.lstrip(" │┃▌").startswith(("Room", "Nickname"))]


async def test_text_typed_since_the_start_arrives_in_the_room(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        async with terminal((*CHAT_TUI, server.url, *JOIN), tmp_path / "ann") as ann:
            ann.write_keys("first\rsecond\rdraft")  # before the program has changed the terminal mode
            await wait_until(lambda: message_texts(room) == ["first", "second"])
            await wait_until(lambda: composer_row(ann) == "draft")


async def test_text_typed_while_connecting_arrives_in_the_room(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as bob, tcp_proxy(server.port) as proxy:
        room = await bob.join("tea", nick="bob")
        proxy.stall()
        async with terminal((*CHAT_TUI, proxy.url, *JOIN), tmp_path / "ann") as ann:
            await ann.wait_for_text("Connecting to")
            ann.write_keys("first\r\x1b[200~of two\rlines\x1b[201~\x1bOP")
            await ann.wait_for_text("Keys")  # the help opens at once
            ann.write_keys(CANCEL)
            await ann.wait_for_text("Connecting to")
            proxy.resume()
            await wait_until(lambda: message_texts(room) == ["first"])
            await wait_until(lambda: composer_row(ann) == "lines")


async def wait_for_form(tty: PtyTerminal) -> None:
    """Wait until no progress message is below the form, which contains the values of the command line."""
    await wait_until(lambda: "Connecting to" not in tty.screen_text() and form_values(tty) == ["tea", "ann"])


async def test_text_for_a_failed_or_cancelled_join_is_discarded(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as bob, tcp_proxy(server.port) as proxy:
        room = await bob.join("tea", nick="bob")
        proxy.refuse_connections()
        async with terminal((*CHAT_TUI, proxy.url, *JOIN), tmp_path / "ann") as ann:
            ann.write_keys("lost\r")
            await ann.wait_for_text("No chat server at")
            await wait_for_form(ann)
            proxy.accept_connections()
            proxy.stall()
            ann.write_keys("\x1b[Z\r")
            await ann.wait_for_text("Connecting to")
            ann.write_keys(f"lost\r{CANCEL}")
            await wait_for_form(ann)
            proxy.resume()
            ann.write_keys("\r")
            await ann.wait_for_text("2 here")
            ann.write_keys("sent\r")
            await wait_until(lambda: message_texts(room) == ["sent"])
