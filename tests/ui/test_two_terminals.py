"""Two clients in pseudo-terminals, and a burst of input to the join form."""

from pathlib import Path

from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.session.i18n import tr
from tui_chat.session.strings import app as app_strings


async def test_two_clients_exchange_messages_through_pseudo_terminals(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        ann_command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        xiaoming_command = (*CHAT_TUI, server.url.replace("http:", "chat:") + "/tea", "--nick", "小明")
        async with (
            terminal(ann_command, tmp_path / "ann") as ann,
            terminal(xiaoming_command, tmp_path / "xiaoming", columns=120, rows=40) as xiaoming,
        ):
            await ann.wait_for_text("2 here")
            await xiaoming.wait_for_text("2 here")
            ann.write_keys("hello 小明 👋\rsecond at once\r")
            await xiaoming.wait_for_text("second at once")
            assert "hello 小明" in xiaoming.screen_text()
            xiaoming.write_keys("\x1b[200~pasted line\nand another\n\x1b[201~")
            await xiaoming.wait_for_text("and another")
            assert "and another" not in ann.screen_text()
            xiaoming.write_keys("\r")
            await ann.wait_for_text("and another")
            ann.write_keys("one\x1b\rtwo\r")
            await xiaoming.wait_for_text("two")
            assert "onetwo" not in xiaoming.screen_text()
            # Wait for the ack: quitting with unsent messages opens a confirmation.
            await ann.wait_for_text("✓ one")
            bytes_before = len(ann.written)
            ann.resize(40, 12)
            await wait_until(lambda: len(ann.written) > bytes_before)
            await ann.wait_for_text("two")
            ann.write_keys("\x11")
            assert await ann.wait_closed() == 0
            await xiaoming.wait_for_text("ann left")


async def test_the_join_form_accepts_a_burst_of_input(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, terminal(CHAT_TUI, tmp_path / "home") as tty:
        await tty.wait_for_text(tr(app_strings.JOIN_HINT))
        tty.write_keys(f"tea\tann\t\x15{server.url}\r")
        await tty.wait_for_text("1 here")
        assert tty.screen_text().startswith(" tea")
