"""Read markers and rooms of an account in the screen-reader mode in a terminal."""

from pathlib import Path

from server.app import RunningServer
from tests.support.accounts import create_account, save_login
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.room import Room

READER = (*CHAT_TUI, "--screen-reader", "--room", "ops", "--nick", "ann")


async def test_rooms_of_the_account_are_announced_opened_read_and_marked_as_unread(
    server: RunningServer, tmp_path: Path
) -> None:
    anns_login, bobs_login = [await create_account(server, name) for name in ("ann", "bob")]
    save_login(server, anns_login, tmp_path / ".local/state/tui-chat")
    async with (
        ChatClient(server.url, token=anns_login.token, account="ann") as ann,
        ChatClient(server.url, token=bobs_login.token, account="bob") as bob,
    ):
        tea, bobs_tea = await ann.join("tea", nick="ann"), await bob.join("tea", nick="bob")
        await wait_until(lambda: tea.member_id in bobs_tea.members)
        (tmp_path / "a.txt").write_text("hello")
        seqs = [(await bobs_tea.send("one")).seq, (await bobs_tea.send("@ann two", files=[tmp_path / "a.txt"])).seq]
        bobs_direct = await bob.user.open_direct([bobs_tea.members[tea.member_id]])
        whisper_seq = (await bobs_direct.send("psst")).seq
        direct = await ann.join(bobs_direct.name, nick="ann")

        def read_seq(room: Room) -> int:
            return room.read_marker.state.seq if room.read_marker.state is not None else -1

        async with terminal((*READER, server.url), tmp_path, rows=60) as tui:
            await tui.wait_for_text("/quit exits.")
            await tui.wait_for_text("Unread in rooms that are not open. tea: 2 unread messages, 1 mention.")
            await tui.wait_for_text("In bob, bob says: psst")
            tui.write_keys("/go tea\r")
            await tui.wait_for_text("bob says: @ann two")
            await wait_until(lambda: read_seq(tea) == seqs[1])
            tui.write_keys("/unread\r")
            await tui.wait_for_text("Unread from here: bob: @ann two; the file a.txt, text/plain, 5 B")
            await wait_until(lambda: read_seq(tea) == seqs[0])
            tui.write_keys("/mentions\r")
            await tui.wait_for_text("tea · bob: @ann two\nWith the file a.txt, text/plain, 5 B")
            tui.write_keys("/query bob\r")
            await tui.wait_for_text("You are in bob")
            await tui.wait_for_text("\nbob says: psst")  # another line than the announcement
            await wait_until(lambda: read_seq(direct) == whisper_seq)
            tui.write_keys("/quit\r")
            assert await tui.wait_closed() == 0
        listed = {room.name: room.read.unread for room in await ann.owned_rooms.list_memberships()}
        assert listed == {"tea": 1, "ops": 0, direct.name: 0}
