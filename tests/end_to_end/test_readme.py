"""Commands of the README, executed as shown with an empty home directory.

- Network: a namespace with a free default port and one network address, without access to other machines.
- Completeness: `test_each_command_has_a_test` fails for a command that this module does not contain.
"""

import ast
import re
import shlex
import subprocess
import sysconfig
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from server.settings import SETTINGS
from tests.support.environment import program_environment
from tests.support.requirements import (
    JAVASCRIPT_DIRECTORY,
    ROOT,
    require_installation,
    require_network_namespace,
    require_node,
)
from tests.support.terminal import PtyTerminal, terminal

README = (ROOT / "README.md").read_text(encoding="utf-8")
TIMEOUT = 20.0
"""Timeout of a command without a terminal, in seconds."""

NETWORK_ADDRESS = "192.0.2.10"
SET_UP_NETWORK = (
    f"ip link set lo up && ip address add {NETWORK_ADDRESS}/24 dev lo && ip route add default dev lo"
    " && echo ready && exec cat"
)
URL = "http://127.0.0.1:3000"
PRINT_PAGE = f"import urllib.request; print(urllib.request.urlopen('{URL}/').read().decode())"

NOT_A_COMMAND = re.compile(r"F\d|Tab|(?:Ctrl|Alt)\+[A-Z]|[A-Z_]+|synchronous=FULL|/")
"""Keys, variables, settings and paths in code spans."""

DRY_RUNS = ("make test", "make bench", "make faults")
"""Targets that run for minutes."""

TESTED_ELSEWHERE = (
    *("pipx install .", "uv tool install .", "pip install ."),  # tests/end_to_end/test_wheel.py
    "asciinema play docs/recording.cast",  # tests/ui/test_recording.py, with another terminal emulator
)


def read_commands() -> set[str]:
    parts = README.split("```")
    lines = [line.split("#")[0].strip() for block in parts[1::2] if block[0] == "\n" for line in block.splitlines()]
    spans = [span for part in parts[::2] for span in re.findall(r"`([^`\n]+)`", part)]
    return {*filter(None, lines), *(span for span in spans if not NOT_A_COMMAND.fullmatch(span))}


def test_each_command_has_a_test() -> None:
    nodes = ast.walk(ast.parse(Path(__file__).read_text(encoding="utf-8")))
    tested = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    commands = read_commands()
    assert "chat-server stop" in commands
    assert commands - tested == set()


class PrivateNetwork:
    """Network namespace with the address `NETWORK_ADDRESS`.

    Args:
        process_id: Process in the namespace.
    """

    def __init__(self, process_id: int) -> None:
        self._enter = ("nsenter", f"--target={process_id}", "--user", "--net", "--preserve-credentials")

    def command_line(self, command: str, directory: Path) -> tuple[str, ...]:
        """Return the arguments that run a shell command; commands of the clone run there instead of in `directory`."""
        if command.startswith(("make ", ".venv/")):
            require_installation()
            directory = ROOT
        return (*self._enter, "sh", "-c", f"cd {shlex.quote(str(directory))} && exec {command}")

    def run(self, command: str, home: Path) -> str:
        """Run a command in its home directory to a successful end, and return its output."""
        arguments, env = self.command_line(command, home), environment(home)
        return subprocess.run(arguments, env=env, capture_output=True, check=True, text=True, timeout=TIMEOUT).stdout

    @contextmanager
    def start(self, command: str, home: Path, directory: Path | None = None) -> Generator[Iterator[str]]:
        """Run a command within the block, which receives the output lines."""
        arguments = self.command_line(command, directory or home)
        with subprocess.Popen(arguments, env=environment(home), stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout
            finally:
                process.terminate()

    @asynccontextmanager
    async def open_terminal(self, command: str, home: Path) -> AsyncGenerator[PtyTerminal]:
        """Run a command in a terminal within the block."""
        variables = {"PATH": environment(home)["PATH"], "CHAT_EXIT_WHEN_IDLE": None}
        async with terminal(self.command_line(command, home), home, columns=120, environ=variables) as opened:
            yield opened

    def read_page(self, home: Path) -> str:
        """Return the page of the server on the default port."""
        return self.run(f"python -c {shlex.quote(PRINT_PAGE)}", home)


def environment(home: Path) -> dict[str, str]:
    inherited = program_environment(home)
    return {**inherited, "PATH": f"{sysconfig.get_path('scripts')}:{inherited['PATH']}"}


@contextmanager
def private_network() -> Generator[PrivateNetwork]:
    command, pipe = (*require_network_namespace(), "sh", "-c", SET_UP_NETWORK), subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        yield PrivateNetwork(holder.pid)
        holder.communicate()


@pytest.fixture
def network() -> Generator[PrivateNetwork]:
    with private_network() as created:
        yield created


@pytest.fixture(scope="module")
def network_with_server() -> Generator[PrivateNetwork]:
    with (
        private_network() as created,
        tempfile.TemporaryDirectory(prefix="chat-", dir="/tmp") as directory,
        created.start("chat-server", Path(directory)) as lines,
    ):
        assert URL in next(lines)
        yield created


async def test_a_chat_in_two_terminals_and_a_browser_continues_after_its_host(
    network: PrivateNetwork, home: Path
) -> None:
    async with network.open_terminal('make chat ARGS="--host 0.0.0.0"', home) as host:
        await host.wait_for_text(f"chat-tui http://{NETWORK_ADDRESS}:3000")
        async with network.open_terminal("make chat", home) as ann:
            await ann.wait_for_text("Joined the server that already runs at")
            ann.write_keys("tea\rann\r")
            async with network.open_terminal(".venv/bin/chat-tui --room tea --nick bob", home) as bob:
                await bob.wait_for_text("2 here")
                host.disconnect()
                await host.wait_closed()
                type_line(bob, "/date yesterday")
                await bob.wait_for_text("No messages in this room yet.")
                type_line(bob, "hello")
                await ann.wait_for_text("hello")
                assert "<html" in network.read_page(home)
                type_line(ann, "/stop-server")
                await ann.wait_for_text("Repeat /stop-server")
                type_line(ann, "/stop-server")
                await ann.wait_for_text("Server stopped.")


def type_line(client: PtyTerminal, text: str) -> None:
    client.write_keys(f"{text}\r")


@pytest.mark.parametrize(
    ("command", "prompt", "expected"),
    [
        ("chat-tui", "Nickname", "● online"),
        ("chat-tui --no-cache", "Nickname", "● online"),
        ("chat-tui --screen-reader", "Server [http", "You are in lobby"),
        ("chat-tui chat://host:3000/tea --nick ann", "", "● online"),
        ("chat-tui --serve", "", "Joined the server that already runs at"),
    ],
)
async def test_the_client_joins_the_server_on_the_default_port(
    network_with_server: PrivateNetwork, home: Path, command: str, prompt: str, expected: str
) -> None:
    async with network_with_server.open_terminal(command.replace("//host:", "//localhost:"), home) as client:
        if prompt:
            await client.wait_for_text(prompt)
            client.write_keys("\r\r\r")
        await client.wait_for_text(expected)
        assert (home / ".cache").exists() is (expected == "● online" and command != "chat-tui --no-cache")


def test_a_script_sends_a_message(network_with_server: PrivateNetwork, home: Path) -> None:
    assert network_with_server.run('chat-tui send --room dev "v1.2 is out"', home) == ""


@pytest.mark.needs_node
def test_the_javascript_client_receives_its_message(network_with_server: PrivateNetwork, home: Path) -> None:
    code = README.split("```js\n")[1].split("```")[0].replace('"socket.io-client"', '"socket.io-client-4.8.4"')
    command = shlex.join((require_node(), "--input-type=module", "-e", code))
    with network_with_server.start(command, home, JAVASCRIPT_DIRECTORY) as lines:
        assert [next(lines), next(lines)] == ["小明 小明 加入了 tea 房间\n", "小明 hi\n"]


def test_the_server_serves_another_page_lists_its_settings_and_stops(network: PrivateNetwork, home: Path) -> None:
    (home / "public").mkdir()
    (home / "public" / "index.html").write_text("<p>another page")
    with network.start("chat-server --pages ./public", home) as lines:
        assert URL in next(lines)
        assert "<p>another page" in network.read_page(home)
        assert "stopped" in network.run("chat-server stop", home)
    help_text = network.run("chat-server --help", home)
    assert [name for name in SETTINGS if f"--{name.replace('_', '-')}" not in help_text] == []


async def test_the_first_administrator_is_created_on_the_machine_of_the_server(
    network: PrivateNetwork, home: Path
) -> None:
    async with network.open_terminal("chat-server account add ann --role admin", home) as prompt:
        for question in ("Password", "Repeat"):
            await prompt.wait_for_text(question)
            prompt.write_keys("correct horse battery\r")
        await prompt.wait_for_text("added")
    assert "admin" in network.run("chat-server account show ann", home)


@pytest.mark.parametrize("command", DRY_RUNS)
def test_targets_of_long_runs_exist(command: str, tmp_path: Path) -> None:
    arguments = (*shlex.split(command), "--dry-run")
    subprocess.run(arguments, cwd=ROOT, env=environment(tmp_path), check=True, stdout=subprocess.DEVNULL)
