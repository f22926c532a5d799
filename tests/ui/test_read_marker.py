"""Read state, determined by terminal focus, current screen, current room and scroll position."""

from collections.abc import Sequence
from pathlib import Path

from textual import events

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tui_chat.client.client import ChatClient
from tui_chat.session.lines import Line, MessageLine, UnreadLine


def first_unread(lines: Sequence[Line]) -> str:
    """Return the text of the first message below the unread divider, empty without a divider."""
    for index, line in enumerate(lines):
        if isinstance(line, UnreadLine):
            below = next(line for line in lines[index:] if isinstance(line, MessageLine))
            return below.text
    return ""


async def set_focus(driver: ChatAppDriver, focused: bool) -> None:
    """Post a terminal focus event, and wait until it is processed."""
    driver.app.post_message(events.AppFocus() if focused else events.AppBlur())
    await driver.pilot.pause()


async def test_the_unread_divider_is_above_messages_received_without_focus_until_the_next_focus_loss(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        tea = ann.chat_screen.session.rooms["tea"]
        await room.send("seen")
        await ann.wait_for_text("seen")
        assert first_unread(ann.timeline.lines) == ""
        await set_focus(ann, False)
        await room.send("first unseen")
        await room.send("second unseen")
        await ann.wait_until(lambda: tea.unread_count == 2)
        await ann.wait_until(lambda: first_unread(ann.timeline.lines) == "first unseen")
        await set_focus(ann, True)
        await ann.wait_until(lambda: tea.unread_count == 0)
        assert first_unread(ann.timeline.lines) == "first unseen", "the divider stays after the messages are read"
        await set_focus(ann, False)
        await room.send("later")
        await ann.wait_until(lambda: tea.unread_count == 1)
        await ann.wait_until(lambda: first_unread(ann.timeline.lines) == "later")


async def test_new_messages_remain_unread_and_do_not_move_the_view_while_scrolled_up(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        tea = ann.chat_screen.session.rooms["tea"]
        for number in range(40):
            await room.send(f"line {number}")
        await ann.wait_for_text("line 39")
        await ann.press("pageup")
        await set_focus(ann, False)
        await room.send("unseen")
        await ann.wait_until(lambda: tea.unread_count == 1)
        await set_focus(ann, True)
        assert tea.unread_count == 1
        await ann.press("alt+u")
        await ann.wait_for_text("unseen")
        await ann.press("alt+end")
        await ann.wait_until(lambda: tea.unread_count == 0)
        await ann.press("pageup")
        position = ann.timeline.get_scroll_position()
        assert position.key is not None
        await room.send("news")
        await ann.wait_for_text("1 new below")
        assert ann.timeline.get_scroll_position() == position
        assert tea.unread_count == 1
        await ann.press("escape")
        await ann.wait_for_text("news")
        await ann.wait_until(lambda: tea.unread_count == 0)


async def test_messages_received_behind_another_screen_are_unread_and_own_messages_are_not(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        tea = ann.chat_screen.session.rooms["tea"]
        await ann.press("f9")
        await room.send("behind it")
        await ann.wait_until(lambda: tea.unread_count == 1)
        await ann.press("escape")
        await ann.wait_until(lambda: tea.unread_count == 0)
        await set_focus(ann, False)
        ann.sdk_room("tea").post("from here", None)
        await room.send("from there")
        await ann.wait_until(lambda: tea.unread_count == 1)
        await ann.wait_until(lambda: first_unread(ann.timeline.lines) == "from there")


async def test_a_switch_of_rooms_sets_the_unread_divider_and_the_room_list_shows_unread_counts(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        await room.send("seen")
        await ann.wait_for_text("seen")
        await ann.send_message("/join dev")
        await ann.wait_for_text("2 dev")
        await room.send("one")
        await room.send("ann: two")
        tea = ann.chat_screen.session.rooms["tea"]
        await ann.wait_until(lambda: tea.unread_count == 2)
        await ann.wait_for_text("@2")
        await ann.press("alt+a")
        await ann.wait_for_text("ann: two")
        await ann.wait_until(lambda: tea.unread_count == 0)
        await ann.wait_until(lambda: "@2" not in ann.screen_text())
        assert first_unread(ann.timeline.lines) == "one"
        await ann.press("alt+2")
        await ann.wait_until(lambda: ann.displayed_room is ann.chat_screen.session.rooms["dev"])
        await room.send("unseen")
        await ann.wait_until(lambda: tea.unread_count == 1)
        await ann.press("alt+1")
        await ann.wait_until(lambda: tea.unread_count == 0)
        await ann.wait_until(lambda: first_unread(ann.timeline.lines) == "unseen")
