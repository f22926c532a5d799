"""State that a restarted client restores."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app, chat_app_in_room
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.session.store import composer_store
from tui_chat.session.store.profile import Profile
from tui_chat.ui.screens.chat import ChatScreen


async def restore_session(driver: ChatAppDriver, room_count: int) -> None:
    """Submit the join form and wait until `room_count` rooms are open."""
    await driver.press("enter")
    await driver.wait_until(lambda: any(isinstance(screen, ChatScreen) for screen in driver.app.screen_stack))
    await driver.wait_until(
        lambda: len(driver.chat_screen.session.rooms) == room_count and driver.displayed_room is not None
    )


def saved_drafts(home: Path) -> list[str]:
    """Return the texts of all drafts in the composer file below `home`."""
    with closing(sqlite3.connect(next(home.rglob(composer_store.FILE_NAME)))) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM drafts")]


def saved_profile(url: str) -> Profile:
    """Return a profile for the room `dev` of a server."""
    return Profile(room="dev", nick="ann", server=url)


async def test_open_rooms_and_drafts_are_restored_unless_the_command_line_or_a_setting_prevents_it(
    server: RunningServer, tmp_path: Path
) -> None:
    async with chat_app_in_room(tmp_path, server.url, "ann", cache=None) as ann:
        await ann.join_rooms("dev", "ops")
        await ann.type_text("for ops")
        await ann.press("alt+1")
        await ann.send_message("said in tea")
        await ann.type_text("for tea")
    async with chat_app(tmp_path / "ann", profile=saved_profile(server.url), cache=tmp_path / "cache") as ann:
        await restore_session(ann, 3)
        assert list(ann.chat_screen.session.rooms) == ["tea", "dev", "ops"]
        assert ann.displayed_room is ann.chat_screen.session.rooms["dev"]
        assert ann.composer.text == ""
        await ann.press("alt+1")
        assert ann.composer.text == "for tea"
        await ann.press("alt+3")
        assert ann.composer.text == "for ops"
        ann.composer.set_text("")
        await ann.send_message("/part tea")
        await ann.wait_until(lambda: list(ann.chat_screen.session.rooms) == ["dev", "ops"])
    async with chat_app_in_room(tmp_path, server.url, "ann", room="garden") as ann:
        await ann.send_message("a message")
        await ann.wait_for_text("✓ a message")
        assert list(ann.chat_screen.session.rooms) == ["garden"]
    async with chat_app(tmp_path / "ann", profile=saved_profile(server.url)) as ann:
        await restore_session(ann, 3)
        assert list(ann.chat_screen.session.rooms) == ["dev", "ops", "garden"]
    async with chat_app(tmp_path / "ann", profile=saved_profile(server.url), settings={"restore_rooms": False}) as ann:
        await restore_session(ann, 1)
        await ann.send_message("a message")
        await ann.wait_for_text("✓ a message")
        assert list(ann.chat_screen.session.rooms) == ["dev"]


async def test_sent_texts_are_restored_only_with_a_cache(server: RunningServer, tmp_path: Path) -> None:
    for cached in (True, False):
        folder = tmp_path / str(cached)
        cache = folder / "cache" if cached else None
        async with chat_app_in_room(folder, server.url, "ann", cache=cache) as ann:
            await ann.send_message("/names")
            await ann.wait_for_text("1 here: ann")
        async with chat_app_in_room(folder, server.url, "ann", cache=cache) as ann:
            await ann.press("up")
            assert ann.composer.text == ("/names" if cached else "")


async def test_messages_missed_between_runs_are_unread_in_every_room(server: RunningServer, tmp_path: Path) -> None:
    async with (
        chat_app_in_room(tmp_path, server.url, "ann", cache=tmp_path / "cache") as ann,
        ChatClient(server.url) as bob,
    ):
        tea, dev = await bob.join("tea", nick="bob"), await bob.join("dev", nick="bob")
        await tea.send("seen in tea")
        await ann.wait_for_text("seen in tea")
        await ann.join_rooms("dev")
        await dev.send("seen in dev")
        await ann.wait_for_text("seen in dev")
        await ann.wait_until(lambda: ann.chat_screen.session.rooms["dev"].unread_count == 0)
        await ann.press("ctrl+q")
        await ann.wait_until(lambda: not ann.app.is_running)
        await tea.send("ann: missed in tea")
        await dev.send("missed in dev")
        async with chat_app(tmp_path / "ann", profile=saved_profile(server.url), cache=tmp_path / "cache") as restarted:
            await restore_session(restarted, 2)
            await restarted.wait_for_text("missed in dev")
            await restarted.wait_for_text("─ new ─")
            await restarted.wait_for_text("@1")
            assert (
                restarted.screen_text().index("seen in dev")
                < restarted.screen_text().index("─ new ─")
                < restarted.screen_text().index("missed in")
            )


async def test_a_draft_survives_a_kill(server: RunningServer, tmp_path: Path) -> None:
    command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for_text("1 here")
        ann.write_keys("half a thought")
        await ann.wait_for_text("half a thought")
        await wait_until(lambda: saved_drafts(tmp_path / "ann") == ["half a thought"])
        ann.send_signal(signal.SIGKILL)
        await ann.wait_closed()
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for_text("half a thought")
        ann.write_keys(" and its end\r")
        await ann.wait_for_text("✓ half a thought and its end")
        await wait_until(lambda: saved_drafts(tmp_path / "ann") == [])
        ann.send_signal(signal.SIGKILL)
        await ann.wait_closed()
    async with terminal(command, tmp_path / "ann") as ann:
        await ann.wait_for_text("1 here")
        await ann.wait_for_text("Message")
