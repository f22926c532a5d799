"""Session controller with a real server and a front end that records its calls."""

import asyncio
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.accounts import create_account, save_login
from tests.support.reactions import reacting_members
from tests.support.recorded_session import RecordedSession, running_session
from tests.support.tcp_proxy import tcp_proxy
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import Offline, ProblemReported, RoomRenamed
from tui_chat.protocol.errors import Unavailable
from tui_chat.session.compose_mode import ComposeKind, ComposeMode
from tui_chat.session.i18n import tr
from tui_chat.session.session_target import SessionTarget
from tui_chat.session.store.login_store import LoginStore, SavedLogin
from tui_chat.session.strings import app as app_strings


async def test_a_posted_message_is_pending_before_earlier_events_are_applied(
    server: RunningServer, tmp_path: Path
) -> None:
    async with running_session(server.url, tmp_path) as ann:
        await ann.process_until(("joined", "tea", "ann"))
        await wait_until(lambda: ann.controller.process_events(0))
        ann.controller.server_link.event_queue.put(ProblemReported(Unavailable("history_unsaved", problem="disk full")))
        assert ann.controller.messages.submit(None, "hello") == ""
        assert (ann.texts(), ann.notices) == (["(hello)"], [])
        await wait_until(lambda: ann.controller.process_events(0) and ann.texts() == ["hello"])
        assert ann.notices == ["The message history cannot be saved on this computer: disk full."]


async def test_replies_edits_and_reactions_follow_the_compose_mode(server: RunningServer, tmp_path: Path) -> None:
    async with running_session(server.url, tmp_path) as ann, ChatClient(server.url) as client:
        bob = await client.join("tea", nick="bob")
        await ann.process_until(("joined", "tea", "ann"))
        assert ann.controller.messages.submit(None, "one") == ""
        await wait_until(lambda: ann.controller.process_events(0) and ann.texts() == ["one"])
        assert ann.controller.messages.submit(ComposeMode(ComposeKind.EDIT, 1, ""), "two") == ""
        assert ann.controller.messages.submit(ComposeMode(ComposeKind.REPLY, 1, ""), "answer") == ""
        assert ann.controller.messages.submit(ComposeMode(ComposeKind.REACT, 1, ""), "tada") == ""
        await wait_until(lambda: 1 in bob.log and bob.log[1].reactions)
        tea = ann.controller.session.rooms["tea"]
        await wait_until(
            lambda: (
                ann.controller.process_events(0) and ann.texts() == ["two", "answer"] and tea.has_own_reaction(1, "🎉")
            )
        )
        assert [(message.message, message.reply_to) for message in bob.log.messages()] == [("two", None), ("answer", 1)]
        assert reacting_members(bob.log[1]) == {"🎉": [tea.member_id]}
        # The second time, the reaction is removed.
        assert ann.controller.messages.submit(ComposeMode(ComposeKind.REACT, 1, ""), "tada") == ""
        await wait_until(lambda: not bob.log[1].reactions)


async def test_a_failed_connection_offers_a_local_server(tmp_path: Path) -> None:
    async with running_session("http://127.0.0.1:1", tmp_path) as ann:
        await ann.process_until(("connect failed", "server", "No server at this address and port.", True))


async def test_a_left_last_room_ends_the_session_and_is_not_restored(server: RunningServer, tmp_path: Path) -> None:
    async with running_session(server.url, tmp_path) as ann:
        await ann.process_until(("joined", "tea", "ann"), ("current", "tea"))
        ann.controller.server_link.join("dev", "ann", ann.controller.session.begin_switch())
        await ann.process_until(("joined", "dev", "ann"), ("current", "dev"))
        ann.controller.server_link.leave("dev")
        await ann.process_until(("current", "tea"))
        ann.controller.server_link.leave("tea")
        await ann.process_until(("ended", "You left the last room."))
    async with running_session(server.url, tmp_path, "ops", restore_rooms=True) as ann:
        await ann.process_until(("joined", "ops", "ann"))
        assert await ann.controller.server_link.composer_store.load_room_names() == ["ops"]


async def test_a_joined_room_becomes_current_unless_the_user_has_requested_another_room(
    server: RunningServer, tmp_path: Path
) -> None:
    async with running_session(server.url, tmp_path) as ann:
        await ann.process_until(("joined", "tea", "ann"), ("current", "tea"))
        session, link = ann.controller.session, ann.controller.server_link
        link.join("dev", "ann", session.begin_switch())
        session.show_room("tea")
        await ann.process_until(("joined", "dev", "ann"))
        assert session.current_room is session.rooms["tea"]
        assert ann.notices == ["dev is open."]
        link.join("den", "ann", session.begin_switch())
        link.join("ops", "ann", session.begin_switch())
        await wait_until(lambda: ann.controller.process_events(0) and len(session.rooms) == 4)
        assert ("current", "ops") in ann.calls
        assert ("current", "den") not in ann.calls
        assert ann.notices == ["dev is open.", "den is open."]


async def test_a_new_nickname_is_reported_and_selects_the_saved_rooms(server: RunningServer, tmp_path: Path) -> None:
    async with running_session(server.url, tmp_path) as ann:
        await ann.process_until(("joined", "tea", "ann"))
        ann.controller.server_link.change_nick("anna")
        await ann.process_until(("nick", "anna"))
        assert ann.notices == ["You are now anna."]
        assert await ann.controller.server_link.composer_store.load_room_names() == ["tea"]


async def test_a_join_queued_offline_is_restored_by_the_next_session_unless_rejected(
    server: RunningServer, tmp_path: Path
) -> None:
    async with tcp_proxy(server.port) as proxy:
        async with running_session(proxy.url, tmp_path) as ann:
            await ann.process_until(("joined", "tea", "ann"))
            proxy.refuse_connections()
            proxy.reset_all()
            controller, link = ann.controller, ann.controller.server_link
            await wait_until(
                lambda: controller.process_events(0) and isinstance(controller.session.connection_state, Offline)
            )
            link.join("\u202e", "ann", 1)
            await ann.process_until(("error", "A room name cannot contain U+202E (right-to-left override)."))
            link.join("dev", "ann", 1)
            async with asyncio.timeout(TIMEOUT):
                while await link.composer_store.load_room_names() != ["tea", "dev"]:
                    pass
        proxy.accept_connections()
        async with running_session(proxy.url, tmp_path, restore_rooms=True) as ann:
            await wait_until(
                lambda: ann.controller.process_events(0) and list(ann.controller.session.rooms) == ["tea", "dev"]
            )


async def test_a_connection_lost_before_the_first_join_delays_the_join(server: RunningServer, tmp_path: Path) -> None:
    async with tcp_proxy(server.port) as proxy, running_session(proxy.url, tmp_path) as ann:
        controller, link = ann.controller, ann.controller.server_link
        await wait_until(lambda: link.event_queue)
        proxy.refuse_connections()
        proxy.reset_all()
        await wait_until(lambda: isinstance(link.require_client().state, Offline))
        controller.process_events(float("inf"))
        proxy.accept_connections()
        await ann.process_until(("joined", "tea", "ann"), ("current", "tea"))


async def test_a_failed_join_of_a_further_room_is_an_error(server: RunningServer, tmp_path: Path) -> None:
    async with running_session(server.url, tmp_path) as ann:
        await ann.process_until(("joined", "tea", "ann"))
        ann.controller.server_link.join("\u202e", "ann", 1)
        await ann.process_until(("error", "A room name cannot contain U+202E (right-to-left override)."))


async def test_a_renamed_room_keeps_its_notification_level_and_a_failed_save_is_an_error(tmp_path: Path) -> None:
    ann = RecordedSession(SessionTarget("http://127.0.0.1:1", "tea", "ann", restore_rooms=False), tmp_path)
    ann.settings_file.change("room_notifications", {"Tea": "none", "dev": "all"})
    ann.settings_file.path = tmp_path  # a directory
    ann.controller.apply(RoomRenamed("ops", "green"))
    assert ann.calls == []
    ann.controller.apply(RoomRenamed("tea", "green"))
    assert ann.settings_file.settings.room_notifications == {
        "Tea": "none",
        "dev": "all",
        "http://127.0.0.1:1/green": "none",
    }
    assert [name for name, *_ in ann.calls] == ["error"]


async def test_an_event_that_cannot_be_applied_is_reported_and_later_events_are_applied(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_session(server.url, tmp_path) as ann:
        await ann.process_until(("joined", "tea", "ann"))
        await wait_until(lambda: ann.controller.process_events(0))

        def fail(event: object) -> None:
            monkeypatch.undo()
            raise RuntimeError("broken")

        monkeypatch.setattr(ann.controller.session, "apply", fail)
        ann.controller.server_link.event_queue.put(ProblemReported(Unavailable("history_unsaved", problem="one")))
        ann.controller.server_link.event_queue.put(ProblemReported(Unavailable("history_unsaved", problem="two")))
        await ann.process_until(("error", tr(app_strings.INTERNAL_ERROR)))
        await wait_until(lambda: ann.controller.process_events(0))
        assert ann.notices == ["The message history cannot be saved on this computer: two."]


async def test_a_session_that_cannot_start_reports_the_failure(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(ChatClient, "open_cached", fail)
    async with running_session(server.url, tmp_path) as ann:
        await ann.process_until(("connect failed", "server", "Internal error of this program; see its log.", False))


async def test_messages_marked_as_unread_stay_unread_although_their_read_marker_is_not_sent_yet(
    server: RunningServer, tmp_path: Path
) -> None:
    save_login(server, await create_account(server, "ann"), tmp_path)
    async with running_session(server.url, tmp_path) as ann, ChatClient(server.url) as client:
        bob = await client.join("tea", nick="bob")
        await ann.process_until(("joined", "tea", "ann"))
        seqs = [(await bob.send(text)).seq for text in ("one", "two")]
        controller, view = ann.controller, ann.controller.session.rooms["tea"]
        await wait_until(lambda: controller.process_events(0) and len(ann.texts()) == 2)
        controller.session.set_viewed(True)
        controller.drafts.save_read_marker(view)
        controller.read_markers.mark_unread(view, seqs[1])
        room = controller.server_link.find_room("tea")
        assert room is not None
        await wait_until(lambda: room.read_marker.state is not None and room.read_marker.state.seq == seqs[0])
        await controller.read_markers.flush()
        await wait_until(lambda: controller.process_events(0))
        controller.session.set_viewed(True)
        assert (room.read_marker.state and room.read_marker.state.seq, view.unread_count) == (seqs[0], 1)


async def test_blocks_apply_to_cached_messages_and_a_mark_made_offline_is_sent_by_the_next_session(
    server: RunningServer, tmp_path: Path
) -> None:
    issued = await create_account(server, "ann")
    async with ChatClient(server.url) as client, ChatClient(server.url) as other, tcp_proxy(server.port) as proxy:
        LoginStore(tmp_path).save(SavedLogin(proxy.url, "ann", issued.token))
        eve, bob = await client.join("tea", nick="eve"), await other.join("tea", nick="bob")
        async with (
            running_session(proxy.url, tmp_path, cache_dir=tmp_path / "cache") as ann,
            ChatClient(server.url, token=issued.token, account="ann") as phone,
        ):
            await ann.process_until(("joined", "tea", "ann"))
            await eve.send("from eve")
            seqs = [(await bob.send(text)).seq for text in ("one", "two")]
            await wait_until(lambda: ann.controller.process_events(0) and ann.texts() == ["from eve", "one", "two"])
            ann.controller.session.set_viewed(True)
            ann.controller.drafts.save_read_marker(ann.controller.session.rooms["tea"])
            await phone.user.block(eve.member_id)
            await wait_until(lambda: ann.controller.process_events(0) and ann.texts() == ["one", "two"])
        proxy.refuse_connections()
        async with running_session(proxy.url, tmp_path, cache_dir=tmp_path / "cache") as ann:
            await ann.process_until(("joined", "tea", "ann"))
            view = ann.controller.session.rooms["tea"]
            assert ann.texts() == ["one", "two"]
            ann.controller.read_markers.mark_unread(view, seqs[1])
            ann.controller.drafts.save_read_marker(view)
        proxy.accept_connections()
        async with running_session(proxy.url, tmp_path, cache_dir=tmp_path / "cache") as ann:
            await ann.process_until(("joined", "tea", "ann"))
            view = ann.controller.session.rooms["tea"]
            assert view.unread_count == 1
            room = ann.controller.server_link.find_room("tea")
            assert room is not None
            await wait_until(
                lambda: (
                    ann.controller.process_events(0)
                    and room.read_marker.state is not None
                    and room.read_marker.state.seq == seqs[0]
                )
            )
            assert (view.unread_count, view.reading.has_unsent_mark) == (1, False)
