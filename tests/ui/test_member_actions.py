"""Member picker and member menu of the chat screen on a real server."""

from pathlib import Path

from textual.widgets import OptionList

from server.app import RunningServer
from tests.support.accounts import create_account, save_login
from tests.support.chat_app import chat_app_in_room
from tui_chat.client.client import ChatClient
from tui_chat.ui.screens.member_menu import MemberMenu
from tui_chat.ui.screens.member_picker import MemberPicker


async def test_the_member_menu_has_only_permitted_actions_and_runs_them(server: RunningServer, tmp_path: Path) -> None:
    save_login(server, await create_account(server, "ann"), tmp_path / "ann" / "state")
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", size=(110, 24)) as ann,
        ChatClient(server.url) as guest,
    ):
        await ann.send_message("/create own")
        await ann.wait_until(lambda: ann.displayed_room is not None and ann.displayed_room.name == "own")
        await guest.join("own", nick="bob lee")
        await ann.wait_for_text("2 here")
        await ann.type_text("draft")
        await ann.press("f6")
        await ann.wait_until(lambda: isinstance(ann.app.screen, MemberPicker) and ann.app.screen.focused is not None)
        await ann.wait_for_text("&ann  owner · account ann")
        await ann.type_text("LEE")
        await ann.wait_until(lambda: "bob lee  guest" in ann.screen_text() and "&ann  owner" not in ann.screen_text())
        await ann.press("enter")
        await ann.wait_until(lambda: isinstance(ann.app.screen, MemberMenu))
        await ann.wait_until(lambda: [menu.option_count for menu in ann.app.screen.query(OptionList)] == [6])
        await ann.press("o")  # not available for a guest
        assert isinstance(ann.app.screen, MemberMenu)
        await ann.press("s")
        await ann.wait_until(lambda: ann.composer.text == "/silence bob lee ")
        await ann.press("ctrl+underscore", "ctrl+underscore")
        assert ann.composer.text == "draft"
        row = next(y for y, line in enumerate(ann.screen_text().splitlines()) if line.rstrip().endswith("bob lee"))
        await ann.pilot.click(offset=(100, row))
        await ann.wait_until(lambda: isinstance(ann.app.screen, MemberMenu))
        await ann.press("b")
        await ann.wait_for_text("“bob lee” is blocked")
        await ann.pilot.click(offset=(100, row))
        await ann.wait_for_text("unblock")
        await ann.press("b")
        await ann.wait_for_text("“bob lee” is no longer blocked.")
        await ann.pilot.click(offset=(100, row))
        await ann.wait_until(lambda: isinstance(ann.app.screen, MemberMenu))
        await ann.press("enter")
        await ann.wait_until(lambda: ann.displayed_room is not None and ann.displayed_room.title == "bob lee")
