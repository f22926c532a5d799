from pathlib import Path

from tests.support.eventually import eventually
from tests.support.serving import serving
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.session import words
from tui_chat.session.language import tr


async def test_two_people_at_two_terminals_talk(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        ann_command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        bob_command = (*CHAT_TUI, server.url.replace("http:", "chat:") + "/tea", "--nick", "小明")
        async with (
            terminal(ann_command, tmp_path / "ann") as ann,
            terminal(bob_command, tmp_path / "bob", columns=120, rows=40) as bob,
        ):
            await ann.wait_for("2 here")
            await bob.wait_for("2 here")
            ann.type("hello 小明 👋\rsecond at once\r")
            await bob.wait_for("second at once")
            assert "hello 小明" in bob.text()
            bob.type("\x1b[200~pasted line\nand another\n\x1b[201~")
            await bob.wait_for("and another")
            assert "and another" not in ann.text()
            bob.type("\r")
            await ann.wait_for("and another")
            ann.type("one\x1b\rtwo\r")
            await bob.wait_for("two")
            assert "onetwo" not in bob.text()
            # Bob may see it before Ann has her answer, and who has something unsent is asked before quitting.
            await ann.wait_for("✓ one")
            drawn = len(ann.written)
            ann.resize(40, 12)
            await eventually(lambda: len(ann.written) > drawn)
            await ann.wait_for("two")
            ann.type("\x11")
            assert await ann.ended() == 0
            await bob.wait_for("ann left")


async def test_the_form_takes_what_is_typed_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as server, terminal(CHAT_TUI, tmp_path / "home") as shown:
        await shown.wait_for(tr(words.JOIN_HINT))
        shown.type(f"tea\tann\t\x15{server.url}\r")
        await shown.wait_for("1 here")
        assert shown.text().startswith(" tea")
