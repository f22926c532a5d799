"""Automatic status of a session with a real server and a clock of the test."""

from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.recorded_session import running_session
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import Online
from tui_chat.client.room_context import ClientContext
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.requests import Request, SetStatus
from tui_chat.session.auto_away import AutoAway
from tui_chat.session.settings.schema import ClientSettings


async def test_the_automatic_status_follows_input_despite_a_failed_removal_and_keeps_a_status_of_the_user(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_session(server.url, tmp_path) as ann, ChatClient(server.url) as bob:
        controller, now, settings = ann.controller, 1_000.0, ClientSettings()
        auto_away = AutoAway(controller.session, controller.server_link, lambda: settings, lambda: now)
        tea = await bob.join("tea", nick="bob")

        def status_of_ann() -> list[str | None]:
            return [member.away for member in tea.members.values() if member.nick_name == "ann"]

        await ann.process_until(("joined", "tea", "ann"))
        await wait_until(
            lambda: controller.process_events(0) and isinstance(controller.session.connection_state, Online)
        )
        await wait_until(lambda: status_of_ann() == [None])
        client = controller.server_link.require_client()
        user = client.user
        now += 86_400
        auto_away.check()
        assert not user.is_away  # the setting is 0
        settings = ClientSettings(away_after=5)
        auto_away.record_input()
        now += 299
        auto_away.check()
        now += 1
        auto_away.check()
        await wait_until(lambda: status_of_ann() == [""])
        requests: list[Request] = []

        async def fail(_: ClientContext, request: Request, *_arguments: object, **_options: object) -> None:
            requests.append(request)
            raise Unavailable("database_error")

        with monkeypatch.context() as patch:
            patch.setattr(ClientContext, "request", fail)
            auto_away.record_input()
            await wait_until(lambda: any(isinstance(request, SetStatus) for request in requests))
        assert status_of_ann() == [""]
        auto_away.check()
        await wait_until(lambda: status_of_ann() == [None])
        await user.set_status(away=True, text="lunch")
        now += 600
        auto_away.check()
        auto_away.record_input()
        await wait_until(lambda: status_of_ann() == ["lunch"])
        assert user.is_away
        async with ChatClient(server.url, guest_key=client.guest_key) as other_device:
            await other_device.join("tea", nick="ann")
            for text in ("", "tea time"):
                await other_device.user.set_status(away=False)
                await wait_until(lambda: not user.is_away)
                now += 300
                auto_away.check()
                await wait_until(lambda: status_of_ann() == [""])
                await client.list_rooms()  # after the acknowledgement of the status
                await other_device.user.set_status(away=False)
                await wait_until(lambda: not user.is_away)
                auto_away.check()
                await client.list_rooms()
                assert not user.is_away  # the end by the other device counts as input
                await other_device.user.set_status(away=True, text=text)
                await wait_until(lambda: user.is_away)
                auto_away.record_input()
                await client.list_rooms()
                assert user.is_away
