"""Moderation commands of the screen-reader mode in a terminal."""

from pathlib import Path

from server.app import RunningServer
from tests.support.accounts import create_account, save_login
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.client.client import ChatClient

READER = (*CHAT_TUI, "--screen-reader", "--room", "tea", "--nick", "root")


async def test_a_ban_of_a_guest_asks_before_it_applies(server: RunningServer, tmp_path: Path) -> None:
    save_login(server, await create_account(server, "root", role="admin"), tmp_path / ".local/state/tui-chat")
    async with ChatClient(server.url) as guest:
        await guest.join("tea", nick="ann lee")
        async with terminal((*READER, server.url), tmp_path, rows=60) as tui:
            await tui.wait_for_text("/quit exits.")
            tui.write_keys("/ban ann lee 7d spam\r")
            await tui.wait_for_text("All guests with the same network address are banned too.")
            tui.write_keys("n\r")
            tui.write_keys("/names\r")
            await tui.wait_for_text("2 here")
            tui.reset_screen()
            tui.write_keys("/ban ann lee 7d spam\r")
            await tui.wait_for_text("All guests with the same network address are banned too.")
            tui.write_keys("y\r")
            await tui.wait_for_text("root banned “ann lee” (until")
            tui.write_keys("/unban @\r")
            await tui.wait_for_text("No such nickname: @.")
            tui.write_keys("/sanctions\r")
            await tui.wait_for_text("ann lee ends it")
            tui.write_keys("/unban ann lee\r")
            await tui.wait_for_text("root ended the ban of “ann lee”.")
            tui.write_keys("/quit\r")
            assert await tui.wait_closed() == 0


async def test_messages_of_blocked_members_are_never_announced(server: RunningServer, tmp_path: Path) -> None:
    issued = await create_account(server, "root")
    save_login(server, issued, tmp_path / ".local/state/tui-chat")
    async with ChatClient(server.url) as guest, ChatClient(server.url, token=issued.token, account="root") as root:
        tea = await guest.join("tea", nick="ann lee")
        await root.user.block(tea.member_id)
        await tea.send("before")
        async with terminal((*READER, server.url), tmp_path, rows=60) as tui:
            await tui.wait_for_text("/quit exits.")
            await tea.send("after")
            tui.write_keys("/blocks\r")
            await tui.wait_for_text("Blocked: ann lee")
            tui.write_keys("/unblock ann lee\r")
            await tui.wait_for_text("“ann lee” is no longer blocked.")
            await tea.send("hello")
            await tui.wait_for_text("“ann lee” says: hello")
            assert "before" not in tui.screen_text()
            assert "after" not in tui.screen_text()
            tui.write_keys("/block ann lee\r")
            await tui.wait_for_text("“ann lee” is blocked")
            tui.write_keys("/quit\r")
            assert await tui.wait_closed() == 0
        assert [person.member_id for person in await root.user.list_blocks()] == [tea.member_id]
