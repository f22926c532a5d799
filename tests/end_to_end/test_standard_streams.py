"""Closed, full, broken and unread standard streams of `chat-tui` and `chat-server`, in real processes.

Tests of a closed stream and of an encoding start a new interpreter, which opens the standard streams. The fork server
starts the other programs.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest
from aiohttp import ClientError, ClientSession

from tests.support.environment import program_environment
from tests.support.full_pipe import full_pipe
from tests.support.program import PIPE, forked_python, start_program
from tests.support.server_process import SERVER_COMMAND
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.room import Room
from tui_chat.protocol.events import Message

TIMEOUT = 30.0
STREAMS = ("stdin", "stdout", "stderr")


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    home = tmp_path_factory.mktemp("server")
    process = subprocess.Popen(
        (*forked_python(), *SERVER_COMMAND, "--port", "0", "--rate-limit", "off", "--connects-per-minute", "1000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=program_environment(home),
    )
    assert process.stdout is not None
    with process:
        yield process.stdout.readline().decode().split("listens on ")[1].split()[0]
        process.terminate()


@contextmanager
def unusable(state: str) -> Generator[int | IO[bytes]]:
    """Provide a stream in a state: `full`, `broken` (a pipe without reader) or `unread` (a full pipe with a reader).

    The stream for `closed` is arbitrary, because the shell closes the stream.
    """
    if state in {"full", "closed"}:
        with Path("/dev/full").open("r+b", buffering=0) as device:
            yield device
    elif state == "unread":
        with full_pipe() as write_end:
            yield write_end
    else:
        read_end, write_end = os.pipe()
        os.close(read_end)
        try:
            yield write_end
        finally:
            os.close(write_end)


@contextmanager
def start(
    command: tuple[str, ...], stream: str, state: str, home: Path, **variables: str
) -> Generator[subprocess.Popen[bytes]]:
    """Run a program with one unusable stream; the others are pipes."""
    is_closed = state == "closed"
    redirection = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-"}[stream] if is_closed else ""
    program = (sys.executable,) if is_closed else forked_python()
    with unusable(state) as target:
        streams = {name: target if name == stream else subprocess.PIPE for name in STREAMS}
        process = subprocess.Popen(
            ("sh", "-c", f'exec "$@" {redirection}', "sh", *program, *command),
            env=program_environment(home, **variables),
            **streams,  # pyright: ignore[reportArgumentType, reportCallIssue]
        )
        try:
            yield process
        finally:
            process.terminate()  # forwarded to a program of the fork server
            process.communicate()


RUN_COMMANDS = """
import email.parser, gc, importlib.metadata, json, os, sys
from server import cli as chat_server
from tui_chat import cli as chat_tui
from tui_chat.cli_commands import account_commands, commands, room_connection
from tui_chat.client.net import transport
from tui_chat.screen_reader import main

gc.freeze()
report_descriptor, *command_lines = json.loads(sys.argv[1])
for program, *arguments in command_lines:
    if os.fork() == 0:
        sys.argv = [program, *arguments]
        (chat_server if program == "chat-server" else chat_tui).main()
    exit_code = os.waitstatus_to_exitcode(os.wait()[1])
    os.write(report_descriptor, f"{program}: {exit_code}\\n".encode())
"""
"""Program that imports all modules, runs commands in forks, and writes their exit codes to a descriptor."""

STDOUT, STDERR = 1, 2


def run_commands(report_descriptor: int, *command_lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return the arguments of Python that run commands one after the other and write their exit codes."""
    return ("-c", RUN_COMMANDS, json.dumps([report_descriptor, *command_lines]))


MEMBER = """
import asyncio, sys
from tui_chat.sdk import ChatClient

async def main():
    async with ChatClient(sys.argv[1]) as client:
        room = await client.join("hall", nick="ben")
        await room.send("hi")
        print("joined", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
"""Script of a member of the room `hall`."""


@pytest.fixture(scope="module")
def hall(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Room with a message and a member."""
    home = tmp_path_factory.mktemp("hall")
    process = subprocess.Popen(
        (*forked_python(), "-c", MEMBER, server_url), env=program_environment(home), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == b"joined\n"
        yield
        process.terminate()


EXIT_CODES = {"closed": 0, "full": 74, "broken": 141}


def expected_errors(program: str, state: str) -> bytes:
    full = f"{program}: cannot write to standard output: No space left on device\n"
    return full.encode() if state == "full" else b""


@pytest.mark.parametrize(("module", "program"), [("tui_chat", "chat-tui"), ("server", "chat-server")])
@pytest.mark.parametrize("state", EXIT_CODES)
def test_an_unusable_output_sets_the_exit_code_and_prints_at_most_one_line(
    tmp_path: Path, module: str, program: str, state: str
) -> None:
    with start(("-m", module, "--version"), "stdout", state, tmp_path) as process:
        _, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, errors) == (EXIT_CODES[state], expected_errors(program, state))


@pytest.mark.usefixtures("hall")
@pytest.mark.parametrize("state", EXIT_CODES)
def test_an_unusable_output_has_the_same_effect_on_all_commands(server_url: str, tmp_path: Path, state: str) -> None:
    server_option = ("--server", server_url)
    commands = (
        ("chat-tui", "send", "--room", "tea", "--json", *server_option, "hello"),
        ("chat-tui", "who", "--room", "hall", *server_option),
        ("chat-tui", "tail", "--room", "hall", "--json", "--no-follow", *server_option),
        ("chat-tui", "--screen-reader", "--room", "tea", "--nick", "ann", server_url),
        *((program, option) for program in ("chat-tui", "chat-server") for option in ("--version", "--help")),
        ("chat-server", "config"),
    )
    with start(run_commands(STDERR, *commands), "stdout", state, tmp_path) as process:
        _, errors = process.communicate(timeout=TIMEOUT)
    expected = [
        expected_errors(program, state) + f"{program}: {EXIT_CODES[state]}\n".encode() for program, *_ in commands
    ]
    assert errors == b"".join(expected)


@pytest.mark.parametrize("state", EXIT_CODES)
def test_an_unusable_error_stream_changes_no_exit_code(tmp_path: Path, state: str) -> None:
    commands = (("chat-tui", "send", "hello"), ("chat-tui", "--nosuch"), ("chat-tui", "tail", "--lang", "zh"))
    with start(run_commands(STDOUT, *commands), "stderr", state, tmp_path) as process:
        output, _ = process.communicate(timeout=TIMEOUT)
    assert output == b"chat-tui: 2\n" * len(commands)


def test_a_closed_input_counts_as_empty(server_url: str, tmp_path: Path) -> None:
    commands = (
        ("chat-tui", "send", "--room", "tea", "--server", server_url),
        ("chat-tui", "send", "--lines", "--room", "tea", "--server", server_url),
        ("chat-tui", "--screen-reader", "--room", "tea", "--nick", "ben", server_url),
    )
    with start(run_commands(STDERR, *commands), "stdin", "closed", tmp_path) as process:
        _, errors = process.communicate(timeout=TIMEOUT)
    assert errors == b"chat-tui: A message cannot be empty.\nchat-tui: 1\nchat-tui: 0\nchat-tui: 0\n"


async def wait_for_observer(server_url: str) -> None:
    """Wait until a client observes a room."""
    async with ClientSession() as session, asyncio.timeout(TIMEOUT):
        metrics = ""
        while "chat_observers 1" not in metrics:
            async with session.get(f"{server_url}/metrics") as response:
                metrics = await response.text()


async def test_sigint_ends_a_command_whose_output_is_not_read(server_url: str, tmp_path: Path) -> None:
    arguments = ("tail", "--room", "crowd", "--nick", "tail", "--server", server_url)
    async with ChatClient(server_url) as chat:
        room = await chat.join("crowd", nick="ann")
        await room.send("hello")
        with start(("-m", "tui_chat", *arguments), "stdout", "unread", tmp_path) as process:
            await wait_for_observer(server_url)
            process.send_signal(signal.SIGINT)
            _, errors = await asyncio.to_thread(process.communicate, timeout=TIMEOUT)
            assert (process.returncode, errors) == (130, b"")


C_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize(
    ("encoding", "variables"), [("ascii", C_LOCALE), ("iso-8859-1", {"PYTHONIOENCODING": "iso-8859-1"})]
)
def test_output_escapes_characters_that_the_encoding_lacks(
    server_url: str, tmp_path: Path, encoding: str, variables: dict[str, str]
) -> None:
    room_args = ("--room", f"tea {encoding}", "--server", server_url)
    command = run_commands(
        STDOUT,
        ("chat-tui", "send", *room_args, "你好 caf\xe9 🫖"),
        ("chat-tui", "send", *room_args),
        ("chat-tui", "tail", *room_args, "--json", "--no-follow"),
        ("chat-tui", "tail", *room_args, "--no-follow"),
        ("chat-tui", "--screen-reader", "--nick", "ann", "--room", f"tea {encoding}", server_url),
        ("chat-tui", "--lang", "zh", "--help"),
    )
    environment = program_environment(tmp_path, **variables)
    text = b"caf\xe9\n" if encoding == "iso-8859-1" else b"plain\n"
    result = subprocess.run((sys.executable, *command), input=text, env=environment, capture_output=True, check=True)
    outputs = result.stdout.decode("latin-1").split("chat-tui: 0\n")
    assert len(outputs) == 7, result.stderr
    texts = [json.loads(line)["message"] for line in outputs[2].splitlines()]
    assert texts == ["你好 café 🫖", "café" if encoding == "iso-8859-1" else "plain"]
    assert r"\u4f60\u597d" in outputs[3]
    assert r"\u4f60\u597d" in outputs[4]
    assert r"\u" in outputs[5]


def test_an_argument_that_the_locale_cannot_decode_is_rejected(server_url: str, tmp_path: Path) -> None:
    arguments = ("-m", "tui_chat", "send", "--room", "tea", "--server", server_url, "caf\xe9")
    environment = program_environment(tmp_path, **C_LOCALE)
    result = subprocess.run((sys.executable, *arguments), env=environment, capture_output=True, check=False)
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr == b"chat-tui: The text is not valid Unicode (lone surrogate).\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_screen_reader_mode_stays_online_and_ends_on_signals_while_its_output_is_not_read(
    server_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    room_name = f"unread {number.name}"
    arguments = ("-m", "tui_chat", "--screen-reader", "--room", room_name, "--nick", "ann", server_url)
    async with ChatClient(server_url) as chat, asyncio.timeout(TIMEOUT):
        room = await chat.join(room_name, nick="ben")
        read_end, write_end = os.pipe()
        process = await start_program(
            (sys.executable, *arguments), program_environment(tmp_path), stdin=PIPE, stdout=write_end
        )
        os.close(write_end)
        try:
            await exchange_messages(room, process, "ready")
            for _ in range(40):
                await room.send("x" * 3_000)  # in total more than the capacity of the pipe, 64 KiB
            await exchange_messages(room, process, "not blocked")
            process.send_signal(number)
            if number == signal.SIGINT:
                await wait_until(lambda: not is_pending(process.pid, number))  # the system would merge the signals
                process.send_signal(number)
            assert await process.wait() == 128 + number
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            os.close(read_end)


def is_pending(pid: int, number: signal.Signals) -> bool:
    """Return whether a signal sent to a process is pending."""
    mask = re.findall(r"ShdPnd:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())[0]
    return bool(int(mask, 16) >> (number - 1) & 1)


async def exchange_messages(room: Room, process: asyncio.subprocess.Process, text: str) -> None:
    """Type a line into `chat-tui --screen-reader` and wait until another member receives the line."""
    assert process.stdin is not None
    process.stdin.write(f"{text}\n".encode())
    async for entry in room:
        if isinstance(entry, Message) and entry.message == text:
            return


SERVER_TABLE = [("stdin", "closed")] + [
    (stream, state) for stream in ("stdout", "stderr") for state in ("closed", "full", "broken", "unread")
]


@pytest.mark.parametrize(("stream", "state"), SERVER_TABLE)
async def test_the_server_starts_serves_and_stops_with_an_unusable_stream(
    tmp_path: Path, unused_tcp_port: int, stream: str, state: str
) -> None:
    flags = ("--port", str(unused_tcp_port), "--log-level", "debug")
    with start((*SERVER_COMMAND, *flags), stream, state, tmp_path, CHAT_NOSUCH="1") as process:
        async with asyncio.timeout(TIMEOUT), ClientSession() as http:
            while True:
                try:
                    async with http.get(f"http://127.0.0.1:{unused_tcp_port}/ready") as response:
                        assert response.status == 200
                        break
                except ClientError:
                    assert process.poll() is None
                    await asyncio.sleep(0.05)
        process.terminate()
        output, errors = await asyncio.to_thread(process.communicate, timeout=TIMEOUT)
    assert process.returncode == 0, errors
    assert b"Traceback" not in (errors or b"")
    assert stream == "stdout" or b"listens on" in output
