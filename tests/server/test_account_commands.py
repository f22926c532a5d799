"""`chat-server account …`, with running and with stopped servers."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.account_api import account_api
from tests.support.accounts import PASSWORD
from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import DATABASE, SERVER_COMMAND, ServerProcess, run_server, server_process
from tests.support.terminal import terminal
from tests.support.wait import TIMEOUT

NEW_PASSWORD = "battery staple"


async def run_account(home: Path, *arguments: str, stdin: str | None = None) -> str:
    """Run a successful command and return its output without the final line break."""
    code, output, errors = await run_server(home, "account", *arguments, stdin=stdin)
    assert (code, errors) in ((0, ""), (0, f"chat-server: created the database {home / DATABASE}\n"))
    return output.rstrip("\n")


async def add_account(home: Path, name: str, *options: str, password: str = PASSWORD) -> None:
    output = await run_account(home, "add", name, *options, "--password-stdin", stdin=f"{password}\n")
    assert output == f"added the account {name}"


async def add_bot(home: Path, name: str) -> str:
    return json.loads(await run_account(home, "add", name, "--bot", "--json"))["token"]


async def list_states(home: Path) -> dict[str, tuple[str, bool]]:
    """Return role and suspension by account name."""
    lines = (await run_account(home, "list", "--json")).splitlines()
    return {account["name"]: (account["role"], account["suspended"]) for account in map(json.loads, lines)}


async def log_in(server: ServerProcess, name: str, password: str = PASSWORD) -> tuple[int, Any]:
    async with account_api(server.url) as api:
        response = await api.log_in(name, password)
        return response.status, response.body


@asynccontextmanager
async def connected(server: ServerProcess, token: str) -> AsyncGenerator[RawClient]:
    """Open a connection with a token."""
    async with raw_client(server.url, connect=False) as client:
        await client.ws.send_str("40" + json.dumps({"token": token}))
        packet = await client.read_packet()
        assert packet is not None
        assert packet.startswith("40{")
        yield client


async def is_accepted(server: ServerProcess, token: str) -> bool:
    async with connected(server, token) as client:
        await client.ws.send_str('421["listRooms",{}]')
        packet = ""
        while packet is not None and not packet.startswith("431["):
            packet = await client.read_packet()
        return packet is not None


async def assert_closed(client: RawClient) -> None:
    assert await client.wait_for_push("authFail")
    await client.wait_closed()


async def test_the_first_administrator_is_added_before_the_first_start(home: Path) -> None:
    arguments = ("account", "add", "ann", "--role", "admin", "--nick", "Annie", "--password-stdin")
    code, output, errors = await run_server(home, *arguments, stdin=PASSWORD)
    assert (code, output) == (0, "added the account ann\n")
    assert errors == f"chat-server: created the database {home / DATABASE}\n"
    async with server_process(home) as server:
        status, body = await log_in(server, "ann")
        assert status == 200
        async with account_api(server.url) as api:
            profile = (await api.with_token(body["token"]).request("GET", "/api/me")).body
        assert (profile["account"], profile["nickName"], profile["role"]) == ("ann", "Annie", "admin")
        lines = (await run_account(home, "list")).splitlines()
        assert [line.split()[:4] for line in lines] == [
            ["NAME", "NICKNAME", "ROLE", "STATE"],
            ["ann", "Annie", "admin", "active"],
        ]
        lines = (await run_account(home, "show", "ANN")).splitlines()
        assert (lines[0], lines[1].split(), lines[8].split()) == ("ann", ["nickname", "Annie"], ["devices", "1"])
        shown = json.loads(await run_account(home, "show", "ann", "--json"))
        assert (shown["name"], [device["label"] for device in shown["devices"]]) == ("ann", [""])


async def test_changes_apply_to_a_running_server_at_once(home: Path) -> None:
    async with server_process(home) as server:
        await add_account(home, "ann")
        token = (await log_in(server, "ann"))[1]["token"]
        async with connected(server, token) as client:
            joined = await client.join("tea", "ann")
            assert (await run_account(home, "suspend", "ann", "--reason", "spam")) == "suspended ann"
            await assert_closed(client)
        assert not await is_accepted(server, token)
        assert (await log_in(server, "ann"))[0] == 403
        assert await run_account(home, "resume", "ann") == "resumed ann"
        async with connected(server, token) as client:
            assert (await client.join("tea", "x"))["memberId"] == joined["memberId"]
            changed = await run_account(home, "passwd", "ann", "--password-stdin", stdin=NEW_PASSWORD)
            assert changed == "changed the password of ann; all devices are logged out"
            await assert_closed(client)
        assert (await log_in(server, "ann"))[0] == 401
        token = (await log_in(server, "ann", NEW_PASSWORD))[1]["token"]
        async with connected(server, token) as client:
            assert await run_account(home, "role", "ann", "admin") == "ann has the role admin"
            assert (await client.join("tea", "x"))["ok"]
            assert await run_account(home, "delete", "ann") == "deleted ann"
            await assert_closed(client)
        assert (await log_in(server, "ann", NEW_PASSWORD))[0] == 401
        assert await list_states(home) == {}
        server.send_signal(signal.SIGTERM)
        _, log = await server.wait_closed()
        assert "operator suspended the account ann: spam" in log


async def test_changes_of_a_stopped_server_apply_at_its_next_start(home: Path) -> None:
    for name in ("ann", "ben", "eve"):
        await add_account(home, name)
    await run_account(home, "suspend", "ben")
    await run_account(home, "role", "ann", "admin")
    await run_account(home, "delete", "eve", "--messages", "delete")
    await run_account(home, "passwd", "ann", "--password-stdin", stdin=NEW_PASSWORD)
    _, audit, _ = await run_server(home, "export", "&audit")
    actions = [json.loads(line) for line in audit.splitlines()]
    assert {action["nickName"] for action in actions} == {"operator"}
    assert [action["message"] for action in actions][3:] == [
        "suspended the account ben",
        "gave the role admin to the account ann",
        "deleted the account eve",
        "changed the password of the account ann",
    ]
    assert await list_states(home) == {"ann": ("admin", False), "ben": ("user", True)}
    async with server_process(home) as server:
        assert await list_states(home) == {"ann": ("admin", False), "ben": ("user", True)}
        statuses = [(await log_in(server, name))[0] for name in ("ann", "ben", "eve")]
        assert statuses == [401, 403, 401]
        assert (await log_in(server, "ann", NEW_PASSWORD))[0] == 200
        await run_account(home, "resume", "ben")
        assert (await log_in(server, "ben"))[0] == 200


async def wait_for_erasure(home: Path) -> None:
    """Wait until the text and the author of the only message in `tea` are erased."""
    async with asyncio.timeout(TIMEOUT):
        while "private" in (log := (await run_server(home, "export", "tea"))[1]) or "news" in log:
            pass
    (message,) = [entry for entry in map(json.loads, log.splitlines()) if entry["kind"] == "message"]
    assert (message["deleted"], message["message"], message["nickName"][:8]) == (True, "", "deleted-")


@pytest.mark.parametrize("is_running", [True, False])
async def test_a_deletion_erases_the_messages_now_or_at_the_next_start(home: Path, is_running: bool) -> None:
    token, delete = await add_bot(home, "news"), ("delete", "news", "--messages", "delete")
    async with server_process(home) as server, connected(server, token) as client:
        await client.join("tea", "news")
        await client.send_messages("tea", ["private"])
        if is_running:
            await run_account(home, *delete)
            await wait_for_erasure(home)
        else:
            server.send_signal(signal.SIGTERM)
            await server.wait_closed()
    if not is_running:
        await run_account(home, *delete)
        async with server_process(home):
            await wait_for_erasure(home)


async def test_a_bot_has_a_token_that_can_be_replaced(home: Path) -> None:
    before_start = await add_bot(home, "news")
    async with server_process(home) as server:
        async with connected(server, before_start) as client:
            printed = (await run_account(home, "token", "news")).splitlines()
            assert printed[0] == "replaced the token of news"
            await assert_closed(client)
        assert not await is_accepted(server, before_start)
        assert await is_accepted(server, printed[1].removeprefix("token: "))
        await add_account(home, "ann")
        for command, problem in (
            (("token", "ann"), "ann is not a bot; replace its password with `chat-server account passwd`"),
            (
                ("passwd", "news", "--password-stdin"),
                "news is a bot; replace its token with `chat-server account token`",
            ),
        ):
            result = await run_server(home, "account", *command, stdin=NEW_PASSWORD)
            assert result == (2, "", f"chat-server: {problem}\n")


async def test_a_private_room_is_exported_by_its_address_only(home: Path) -> None:
    token = await add_bot(home, "news")
    async with server_process(home) as server, connected(server, token) as client:
        response = await client.request("createRoom", {"title": "Plans", "visibility": "private"})
        address = response["room"]["name"]
        await client.send_messages(address, ["secret plan"])
        code, output, _ = await run_server(home, "export", address, "--format", "text")
        assert (code, output.splitlines()[-1].partition("news: ")[2]) == (0, "secret plan")
        for name in ("Plans", address[:-1]):
            assert await run_server(home, "export", name) == (2, "", f"chat-server: no room {name}\n")


async def test_an_invite_permits_one_registration(home: Path) -> None:
    async with server_process(home, "--registration", "invite") as server, account_api(server.url) as api:
        invite = json.loads(await run_account(home, "invite", "--expires", "12h", "--json"))
        assert invite["uses"] == 1
        assert (await api.register("eve")).status == 403
        assert (await api.register("ann", invite=invite["code"])).status == 201
        assert (await api.register("ben", invite=invite["code"])).status == 403
        text = (await run_account(home, "invite", "--uses", "2")).splitlines()
        assert text[1].startswith("registrations: 2, until ")
        for name in ("ben", "eve"):
            assert (await api.register(name, invite=text[0].removeprefix("invite code: "))).status == 201


@pytest.mark.parametrize(
    ("repeated", "result", "code"),
    [
        (NEW_PASSWORD, "chat-server: the passwords differ", 2),
        ("\udcff", "chat-server: cannot read the password: the input is not ", 2),
        ("\x04", "chat-server: the password entry was cancelled", 2),  # end of input
        (PASSWORD, "added the account ann", 0),
    ],
)
async def test_a_terminal_asks_for_the_password_twice_and_shows_none(
    home: Path, repeated: str, result: str, code: int
) -> None:
    command = (sys.executable, *SERVER_COMMAND, "account", "add", "ann")
    async with terminal(command, home) as screen:
        for prompt, answer in (("Password:", PASSWORD), ("Repeat the password:", repeated)):
            await screen.wait_for_text(prompt)
            screen.write_bytes(f"{answer}\n".encode(errors="surrogateescape"))
        assert await screen.wait_closed() == code
        assert result in screen.screen_text()
        assert not {PASSWORD, NEW_PASSWORD} & {line.strip() for line in screen.screen_text().splitlines()}
        assert PASSWORD.encode() not in screen.written


INVALID_COMMANDS = (
    ((), "missing command: one of add, list, show, "),
    (("shwo", "ann"), "unknown argument shwo; did you mean show?"),
    (("add", "bob", "--rol", "admin"), "unknown argument --rol; did you mean --role?"),
    (("add", "bob"), "standard input is not a terminal; pass the password with --password-stdin"),
    (("add", "bob", "--password", "secret"), "unknown argument --password; did you mean --password-stdin?"),
    (("add", "bob", "--password-stdin"), "a password needs at least 8 characters"),
    (("add", "b b", "--bot"), "an account name consists of letters, digits and . _ -"),
    (("add", "Anne", "--bot", "--nick", "ANN"), "this account name or nickname is taken"),
    (("show", "anne"), "no account anne; did you mean ann?"),
    (("suspend", "zoe"), "no account zoe\n"),
    (("suspend", "ann", "--reason", "x" * 501), "a reason can have at most 250 characters; this one has 501"),
    (("show", "\udcff"), "an argument is not valid UTF-8\n"),
    (("role", "ann", "owner"), "argument user|admin: invalid choice: 'owner'"),
    (("invite", "--uses", "0"), "argument --uses: expected a number from 1 to 10000"),
    (("invite", "--expires", "soon"), "argument --expires: expected a duration such as 90m, 12h or 7d, at most 365d"),
    (("invite", "--expires", "366d"), "argument --expires: expected a duration such as 90m, 12h or 7d, at most 365d"),
)


async def test_invalid_commands_print_one_line_without_the_password(home: Path) -> None:
    await add_bot(home, "ann")
    for arguments, problem in INVALID_COMMANDS:
        code, output, errors = await run_server(home, "account", *arguments, stdin="secret\n")
        assert (code, output) == (2, ""), arguments
        assert errors.startswith(f"chat-server: {problem}")
        assert errors.count("\n") == 1
        assert "secret" not in errors
    assert list(await list_states(home)) == ["ann"]


async def test_no_secret_is_in_a_log_or_a_file(home: Path) -> None:
    log = home / "server.log"
    async with server_process(home, "--log-level", "debug", "--log-file", str(log), "--registration", "open") as server:
        await add_account(home, "ann")
        token = await add_bot(home, "news")
        await run_account(home, "passwd", "ann", "--password-stdin", stdin=NEW_PASSWORD)
        invite = json.loads(await run_account(home, "invite", "--json"))["code"]
        server.send_signal(signal.SIGTERM)
        await server.wait_closed()
    stopped = await add_bot(home, "bot")
    assert await list_states(home) == dict.fromkeys(("ann", "news", "bot"), ("user", False))
    secrets = [secret.encode() for secret in (PASSWORD, NEW_PASSWORD, token, invite, stopped)]
    files = [file for file in home.rglob("*") if file.is_file()]
    assert log in files
    for file in files:
        assert not [secret for secret in secrets if secret in file.read_bytes()], file
