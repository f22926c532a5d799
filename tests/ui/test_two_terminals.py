from pathlib import Path

from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings


async def test_two_people_at_two_terminals_talk(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        ann_command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        bob_command = (*CHAT_TUI, server.url.replace("http:", "chat:") + "/tea", "--nick", "小明")
        async with (
            terminal(ann_command, tmp_path / "ann") as ann,
            terminal(bob_command, tmp_path / "bob", columns=120, rows=40) as bob,
        ):
            await ann.wait_for_text("2 here")
            await bob.wait_for_text("2 here")
            ann.write_keys("hello 小明 👋\rsecond at once\r")
            await bob.wait_for_text("second at once")
            assert "hello 小明" in bob.screen_text()
            bob.write_keys("\x1b[200~pasted line\nand another\n\x1b[201~")
            await bob.wait_for_text("and another")
            assert "and another" not in ann.screen_text()
            bob.write_keys("\r")
            await ann.wait_for_text("and another")
            ann.write_keys("one\x1b\rtwo\r")
            await bob.wait_for_text("two")
            assert "onetwo" not in bob.screen_text()
            # Bob may see it before Ann has her answer, and who has something unsent is asked before quitting.
            await ann.wait_for_text("✓ one")
            drawn = len(ann.written)
            ann.resize(40, 12)
            await wait_until(lambda: len(ann.written) > drawn)
            await ann.wait_for_text("two")
            ann.write_keys("\x11")
            assert await ann.wait_closed() == 0
            await bob.wait_for_text("ann left")


async def test_the_form_takes_what_is_typed_at_once(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, terminal(CHAT_TUI, tmp_path / "home") as shown:
        await shown.wait_for_text(tr(chat_strings.JOIN_HINT))
        shown.write_keys(f"tea\tann\t\x15{server.url}\r")
        await shown.wait_for_text("1 here")
        assert shown.screen_text().startswith(" tea")
