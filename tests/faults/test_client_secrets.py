"""Search for passwords, tokens and guest keys in the files, logs and outputs of the client programs."""

import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from server.gateway.account_service import AccountService, IssuedToken
from tests.support.cli_command import run_command
from tests.support.in_process_server import running_server
from tests.support.terminal import terminal
from tui_chat.client.accounts import AccountClient

PASSWORD = "correct horse battery"

CRASHING_LOGIN = """
from tui_chat.session.store.login_store import LoginStore

def fail(self, login):
    raise ValueError("by design")

LoginStore.save = fail
from tui_chat.cli import main
main()
"""
"""Client that crashes with a password and a token in its local variables."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path / "server", rate_limit="off", registration="open") as running:
        await AccountClient(running.url).register("ann", PASSWORD)
        yield running


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tokens that the server has issued during the test."""
    issued_tokens: list[str] = []
    issue = AccountService.issue_token

    async def record(*args: object, **options: object) -> IssuedToken:
        issued: IssuedToken = await issue(*args, **options)  # pyright: ignore[reportArgumentType]
        issued_tokens.append(issued.token)
        return issued

    monkeypatch.setattr(AccountService, "issue_token", record)
    return issued_tokens


def find_secrets(directory: Path, outputs: dict[str, bytes], secrets: list[str]) -> set[tuple[str, str]]:
    """Return the secrets in outputs and in the files of a directory, each with the name of its place."""
    places = outputs | {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    return {
        (Path(place).name, secret)
        for place, content in places.items()
        for secret in secrets
        if secret.encode() in content
    }


async def test_commands_store_a_token_and_a_guest_key_in_one_file_each(
    server: RunningServer, tokens: list[str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    room = ("--server", server.url, "--room", "tea")
    guest = await run_command(home, "send", *room, "--nick", "bot", "as a guest")
    login = await run_command(home, "login", server.url, "--account", "ann", stdin=PASSWORD)
    sent = await run_command(home, "send", *room, "--json", "with an account")
    assert [code for code, *_ in (guest, login, sent)] == [0, 0, 0]
    (identity,) = json.loads(next(home.rglob("profile.json")).read_bytes())["identities"]
    (token,) = tokens
    secrets = [PASSWORD, token, identity["guest_key"]]
    found = find_secrets(tmp_path, {"outputs": repr((guest, login, sent)).encode()}, secrets)
    assert found == {("logins.json", token), ("profile.json", identity["guest_key"])}


async def test_a_crash_with_a_password_and_a_token_reports_neither(
    server: RunningServer, tokens: list[str], tmp_path: Path
) -> None:
    script, log = tmp_path / "crashing_login.py", tmp_path / "crash.log"
    script.write_text(CRASHING_LOGIN)
    command = (sys.executable, str(script), server.url, "--room", "tea", "--nick", "bob", "--log", str(log))
    async with terminal(command, tmp_path / "home", environ={"PYTHONPATH": str(Path.cwd())}) as tty:
        await tty.wait_for_text("1 here")
        tty.write_keys("/login\r")
        await tty.wait_for_text("Password")
        tty.write_keys(f"ann\r{PASSWORD}\r")
        await tty.wait_for_text("Internal error")
        tty.write_keys("\x11\x11")
        assert await tty.wait_closed() == 1
    assert "ValueError: by design" in log.read_text()
    assert len(tokens) == 1
    assert find_secrets(tmp_path, {"screen": bytes(tty.written)}, [PASSWORD, *tokens]) == set()
