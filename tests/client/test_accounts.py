"""Account requests of the SDK against a real server."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.app import RunningServer
from tests.support.free_port import reserved_port
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tests.support.wait import wait_until
from tui_chat.client.accounts import AccountClient
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import Unreachable, UnsupportedByServer
from tui_chat.client.events import AuthFailed, Online
from tui_chat.protocol.errors import (
    BadRequest,
    ChatError,
    Conflict,
    Forbidden,
    InternalError,
    NotFound,
    RateLimited,
    Unauthorized,
)

PASSWORD = "correct horse"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path / "server", rate_limit="off", registration="open") as running:
        yield running


async def test_a_guest_who_registers_keeps_the_member_id_and_reserves_the_nickname(server: RunningServer) -> None:
    accounts = AccountClient(server.url)
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("as a guest")
        guest_id = room.member_id
        login = await accounts.register("ann", PASSWORD, guest_key=chat.guest_key)
        assert login.account == "ann"
        await chat.set_token(login.token, login.account)
        await room.send("with an account")
        assert room.member_id == guest_id
        await wait_until(lambda: message_texts(room) == ["as a guest", "with an account"])
        assert {message.member_id for message in room.log.messages()} == {guest_id}
        assert room.members[guest_id].account == "ann"
    async with ChatClient(server.url) as other:
        room = await other.join("tea", nick="ann")
        assert room.nick != "ann"


async def test_rejected_requests_raise_the_error_of_their_reason(server: RunningServer) -> None:
    accounts = AccountClient(server.url)
    await accounts.register("ann", PASSWORD)
    for request, error_type, reason in (
        (accounts.register("ANN", PASSWORD), Conflict, "account_name_in_use"),
        (accounts.register("two words", PASSWORD), BadRequest, "account_name_invalid"),
        (accounts.register("bob", "short"), BadRequest, "password_too_short"),
        (accounts.log_in("ann", "wrong password"), Unauthorized, "login_failed"),
        (accounts.log_in("nobody", PASSWORD), Unauthorized, "login_failed"),
        (accounts.log_in("\udcff", PASSWORD), BadRequest, "text_unencodable"),
        (accounts.change_password("wrong password", "another horse"), Unauthorized, "login_failed"),
        (accounts.revoke_device(10**15), NotFound, "session_not_found"),
    ):
        with pytest.raises(error_type) as caught:
            await request
        assert caught.value.reason == reason
    errors: list[ChatError] = []
    while not any(isinstance(error, RateLimited) for error in errors):
        assert len(errors) < 20
        with pytest.raises(ChatError) as failed:
            await accounts.log_in("ann", "wrong password")
        errors.append(failed.value)
    assert errors[-1].retry_after


async def test_devices_are_listed_and_a_revoked_one_loses_its_connection(server: RunningServer) -> None:
    accounts = AccountClient(server.url)
    await accounts.register("ann", PASSWORD)
    laptop = await AccountClient(server.url).log_in("ann", PASSWORD, label="laptop\x1b[31m")
    async with ChatClient(server.url, token=laptop.token, account="ann") as chat:
        await chat.join("tea", nick="ann")
        devices = {device.label: device for device in await accounts.list_devices()}
        assert [device.current for device in devices.values()].count(True) == 1
        (label,) = [label for label, device in devices.items() if not device.current]
        assert label.startswith("laptop")
        assert "\x1b" not in label
        await accounts.revoke_device(devices[label].id)
        await wait_until(lambda: isinstance(chat.state, AuthFailed))
    with pytest.raises(Unauthorized):
        await AccountClient(server.url, laptop.token).get_profile()


async def test_a_suspension_closes_connections_and_rejects_new_ones_until_the_account_is_resumed(
    server: RunningServer,
) -> None:
    login = await AccountClient(server.url).register("ann", PASSWORD, label="phone")
    async with ChatClient(server.url, token=login.token, account="ann") as chat:
        await chat.join("tea", nick="ann")
        await server.account_service.suspend("ann")
        for _ in range(2):
            await wait_until(lambda: isinstance(chat.state, AuthFailed))
            assert isinstance(chat.state, AuthFailed)
            assert chat.state.error.reason == "account_suspended"
            await chat.set_token(login.token, "ann")
        await wait_until(lambda: isinstance(chat.state, AuthFailed))
        await server.account_service.resume("ann")
        await chat.set_token(login.token, "ann")
        await wait_until(lambda: isinstance(chat.state, Online))
    (device,) = await AccountClient(server.url, login.token).list_devices()
    assert device.label == "phone"


async def test_profile_changes_are_returned_and_a_password_change_ends_other_logins(server: RunningServer) -> None:
    accounts = AccountClient(server.url)
    await accounts.register("ann", PASSWORD, nick="Ann Lee")
    other = AccountClient(server.url)
    await other.log_in("ann", PASSWORD)
    assert (await accounts.get_profile()).nick_name == "Ann Lee"
    profile = await accounts.update_profile(about="likes tea")
    assert (profile.nick_name, profile.about) == ("Ann Lee", "likes tea")
    assert (await accounts.update_profile(nick="Annie")).nick_name == "Annie"
    await accounts.change_password(PASSWORD, "another horse")
    await accounts.get_profile()
    with pytest.raises(Unauthorized):
        await other.get_profile()
    with pytest.raises(Unauthorized):
        await other.log_in("ann", PASSWORD)
    await other.log_in("ann", "another horse")


async def test_a_logout_ends_the_token_and_a_deletion_ends_the_account(server: RunningServer) -> None:
    accounts = AccountClient(server.url)
    first = await accounts.register("ann", PASSWORD)
    await accounts.log_out()
    assert accounts.token is None
    with pytest.raises(Unauthorized):
        await AccountClient(server.url, first.token).get_profile()
    await accounts.log_in("ann", PASSWORD)
    await accounts.delete_account(PASSWORD, messages="delete")
    with pytest.raises(Unauthorized):
        await accounts.log_in("ann", PASSWORD)


async def test_a_server_without_guests_requires_a_token(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, registration="open", guests="off") as server,
        ChatClient(server.url, connect_in_background=True) as chat,
    ):
        with pytest.raises(Unauthorized) as caught:
            await chat.join("tea", nick="ann")
        assert caught.value.reason == "login_required"
        login = await AccountClient(server.url).register("ann", PASSWORD)
        await chat.set_token(login.token, login.account)
        await chat.join("tea", nick="ann")
        assert isinstance(chat.state, Online)


async def test_a_registration_on_a_closed_server_is_rejected(tmp_path: Path) -> None:
    async with running_server(tmp_path, registration="closed") as server:
        with pytest.raises(Forbidden) as caught:
            await AccountClient(server.url).register("ann", PASSWORD)
        assert caught.value.reason == "registration_closed"


async def test_other_servers_receive_no_password_by_redirect_and_raise_errors() -> None:
    received: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(str(request.url.with_path("/steal")))

    async def steal(request: web.Request) -> web.Response:
        received.append(await request.text())
        return web.json_response({"token": "ct_x"})

    async def send_megabytes(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 2_000_000)

    async def send_invalid_utf8(request: web.Request) -> web.Response:
        body = b'{"sessions": [{"label": "\xff"}], "code": "\xff"}'
        return web.Response(body=body, status=200 if request.method == "GET" else 500)

    app = web.Application()
    app.router.add_post("/api/sessions", redirect)
    app.router.add_get("/api/sessions", send_invalid_utf8)
    app.router.add_post("/steal", steal)
    app.router.add_get("/api/me", send_megabytes)
    app.router.add_patch("/api/me", send_invalid_utf8)
    async with TestServer(app) as server:
        url = str(server.make_url("/")).rstrip("/")
        with pytest.raises(Unreachable) as caught:
            await AccountClient(url).log_in("ann", PASSWORD)
        assert caught.value.reason == "http_status_unexpected"
        with pytest.raises(InternalError):
            await AccountClient(url, "ct_x").list_devices()
        with pytest.raises(Unreachable):
            await AccountClient(url, "ct_x").update_profile(about="hi")
        with pytest.raises(UnsupportedByServer):
            await AccountClient(url).register("ann", PASSWORD)
        with pytest.raises(Unreachable):
            await AccountClient(url, "ct_x").get_profile()
    assert received == []
    with reserved_port() as port, pytest.raises(Unreachable):
        await AccountClient(f"http://127.0.0.1:{port}").log_in("ann", PASSWORD)
