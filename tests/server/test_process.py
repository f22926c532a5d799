"""Signals, log output, standard streams and start-up faults of real server processes."""

import asyncio
import fcntl
import logging
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from aiohttp import ClientSession, TCPConnector
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from server import logging as server_logging
from server.logging import MAX_REPEATS, ONE_PER_MINUTE, LogWriter
from tests.support.environment import program_environment
from tests.support.full_pipe import full_pipe
from tests.support.program import PIPE, start_program
from tests.support.raw_client import raw_client
from tests.support.server_process import SERVER_COMMAND, server_process
from tests.support.wait import TIMEOUT, wait_until

COMMAND = (sys.executable, *SERVER_COMMAND)


async def test_a_log_pipe_without_reader_neither_stops_the_server_nor_sigterm(tmp_path: Path) -> None:
    with full_pipe() as write_end:
        command = (*COMMAND, "--port", "0", "--log-level", "debug")
        process = await start_program(command, program_environment(tmp_path), stdout=PIPE, stderr=write_end)
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), TIMEOUT)).decode().split("listens on ")[1].split()[0]
    for _ in range(3):
        async with raw_client(url) as ann:
            await ann.join("tea", "ann")
            assert (await ann.request("sendMessage", {"room": "tea", "message": "hi"}))["ok"]
            await ann.ws.send_str("invalid")
            await ann.wait_closed()
    process.terminate()
    assert await asyncio.wait_for(process.wait(), TIMEOUT) == 0


async def test_sigterm_ends_a_server_whose_standard_streams_are_closed(tmp_path: Path, unused_tcp_port: int) -> None:
    database, url = tmp_path / "chat.db", f"http://127.0.0.1:{unused_tcp_port}"
    process = await asyncio.create_subprocess_exec(
        *(
            "sh",
            "-c",
            'exec "$@" <&- >&- 2>&-',
            "sh",
            *COMMAND,
            "--port",
            str(unused_tcp_port),
            "--database",
            str(database),
        ),
        env={"HOME": str(tmp_path)},
    )

    async def is_ready() -> bool:
        try:
            async with ClientSession() as session, session.get(f"{url}/ready") as response:
                return response.status == 200
        except OSError:
            return False

    def is_listening() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", unused_tcp_port)):
            return True
        return False

    await wait_until(is_listening)
    async with asyncio.timeout(TIMEOUT):
        while not await is_ready():
            pass
    async with raw_client(url) as ann:
        await ann.join("tea", "ann")
        await ann.request("sendMessage", {"room": "tea", "message": "hi"})
    process.terminate()
    assert await asyncio.wait_for(process.wait(), TIMEOUT) == 0
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


async def test_sigusr1_sigusr2_and_sighup_do_not_end_the_server(tmp_path: Path) -> None:
    async with server_process(tmp_path) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
            server.send_signal(number)
        assert (await ann.request("sendMessage", {"room": "tea", "message": "hi"}))["ok"]
        server.send_signal(signal.SIGTERM)
        await ann.wait_for_push("goingAway")
        assert (await server.wait_closed())[0] == 0


async def test_sighup_opens_the_log_file_again(tmp_path: Path) -> None:
    log_file, rotated = tmp_path / "server.log", tmp_path / "server.log.1"
    async with server_process(tmp_path, "--log-file", str(log_file)) as server:
        log_file.rename(rotated)
        server.send_signal(signal.SIGHUP)
        await wait_until(lambda: log_file.exists() and "reloaded" in log_file.read_text())
        server.send_signal(signal.SIGTERM)
        assert await server.wait_closed() == (0, "")
    assert log_file.read_text().endswith("server stopped\n")
    assert "certificate" not in log_file.read_text()
    assert log_file.stat().st_mode & 0o777 == 0o600
    assert "server stopped" not in rotated.read_text()


def test_a_log_file_above_its_limit_is_renamed(tmp_path: Path) -> None:
    path, rotated = tmp_path / "server.log", tmp_path / "server.log.1"
    writer, logger = LogWriter(path, max_bytes=500), logging.Logger("test")
    logger.addHandler(writer)
    for number in range(100):
        logger.info(f"line {number}")
    writer.close()
    assert 500 < rotated.stat().st_size < 510
    assert path.stat().st_size <= 500
    assert (rotated.read_text() + path.read_text()).endswith("line 98\nline 99\n")


def test_a_log_file_that_cannot_be_renamed_grows_after_one_warning(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    (tmp_path / "server.log.1").mkdir()
    writer, logger = LogWriter(path, max_bytes=50), logging.Logger("test")
    logger.addHandler(writer)
    for number in range(20):
        logger.info(f"line {number}")
    writer.close()
    lines = path.read_text().splitlines()
    warnings = [line for line in lines if not line.startswith("line ")]
    assert warnings == [f"rotation of {path} failed, the file grows without limit: Is a directory"]
    assert [line for line in lines if line not in warnings] == [f"line {number}" for number in range(20)]


def test_the_log_level_applies_to_loggers_of_libraries() -> None:
    program = (
        "import logging; from server.logging import configure_logging; configure_logging('text', 'error', None);"
        " logger = logging.getLogger('asyncio'); logger.warning('suppressed'); logger.error('written')"
    )
    output = subprocess.run((sys.executable, "-c", program), capture_output=True, check=True, timeout=TIMEOUT).stderr
    assert [line.split()[-1] for line in output.splitlines()] == [b"written"]


def write_certificate(authority: trustme.CA, certificate_path: Path, key_path: Path) -> None:
    certificate = authority.issue_cert("127.0.0.1")
    certificate_path.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    key_path.write_bytes(certificate.private_key_pem.bytes())


async def test_sighup_reads_the_certificate_again_and_keeps_the_previous_one_after_an_error(tmp_path: Path) -> None:
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    authorities = [trustme.CA(), trustme.CA()]
    write_certificate(authorities[0], chain, key)

    async def accepts(authority: trustme.CA, url: str) -> bool:
        context = ssl.create_default_context()
        authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
        try:
            session = ClientSession(connector=TCPConnector(ssl=context))
            async with session, session.get(f"{url}/health") as response:
                return response.status == 200
        except OSError:
            return False

    log_file = tmp_path / "server.log"
    flags = ("--tls-cert", str(chain), "--tls-key", str(key), "--log-file", str(log_file))
    async with server_process(tmp_path, *flags) as server:
        assert await accepts(authorities[0], server.url)
        key.write_text("garbage")
        server.send_signal(signal.SIGHUP)
        await wait_until(lambda: "reload failed, the previous certificate stays in use" in log_file.read_text())
        assert await accepts(authorities[0], server.url)
        write_certificate(authorities[1], chain, key)
        server.send_signal(signal.SIGHUP)
        await wait_until(lambda: "certificate reloaded" in log_file.read_text())
        assert await accepts(authorities[1], server.url)
        assert not await accepts(authorities[0], server.url)
        assert log_file.read_text().count("certificate reloaded") == 1


TLS_FAULTS = (
    ("cert.pem", "encrypted.pem", "encrypted.pem: the private key is encrypted"),
    ("cert.pem", "other_key.pem", "invalid certificate or private key"),
    ("key.pem", "cert.pem", "invalid certificate or private key"),
    ("fifo", "key.pem", "fifo: not a regular file"),
    ("cert.pem", ".", "not a regular file"),
    ("empty", "key.pem", "invalid certificate or private key"),
    ("binary", "binary", "invalid certificate or private key"),
    ("/dev/zero", "key.pem", "/dev/zero: not a regular file"),
)
FAULTS = (
    ("--host", "x" * 300, "cannot"),
    ("--log-file", "missing/server.log", "No such file or directory"),
    ("--log-file", ".", "Is a directory"),
    ("--log-file", "fifo", "fifo: "),
    ("--config", "utf16.toml", "utf16.toml: "),
    ("--config", "deep.toml", "deep.toml: "),
    ("--database", "empty/chat.db", "chat.db"),
    ("--database", "unknown://host/db", "unknown"),
)


async def assert_startup_fails(home: Path, flags: tuple[str, ...], reason: str) -> None:
    command = (*COMMAND, "--port", "0", *flags)
    environ = program_environment(home)
    process = await start_program(command, environ, directory=home, stdout=PIPE, stderr=PIPE)
    output, errors = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, output) == (2, b""), (flags, errors)
    assert errors.startswith(b"chat-server: "), (flags, errors)
    assert reason in errors.decode(), flags
    assert errors.count(b"\n") == 1, errors


@pytest.mark.parametrize(("certificate", "private_key", "reason"), TLS_FAULTS)
async def test_unusable_tls_files_print_one_line_and_exit_with_2(
    tmp_path: Path, certificate: str, private_key: str, reason: str
) -> None:
    authority, key = trustme.CA(), tmp_path / "key.pem"
    write_certificate(authority, tmp_path / "cert.pem", key)
    write_certificate(authority, tmp_path / "unused.pem", tmp_path / "other_key.pem")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 8)
    loaded_key = load_pem_private_key(key.read_bytes(), None)
    encryption = BestAvailableEncryption(b"secret")
    encrypted = loaded_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    (tmp_path / "encrypted.pem").write_bytes(encrypted)
    await assert_startup_fails(tmp_path, ("--tls-cert", certificate, "--tls-key", private_key), reason)


@pytest.mark.parametrize(("flag", "value", "reason"), FAULTS)
async def test_startup_faults_print_one_line_and_exit_with_2(
    tmp_path: Path, flag: str, value: str, reason: str
) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "empty").touch()
    (tmp_path / "utf16.toml").write_text("port = 0", encoding="utf-16")
    (tmp_path / "deep.toml").write_text(f"port = {'[' * 5000}")
    await assert_startup_fails(tmp_path, (flag, value), reason)


async def test_an_error_with_characters_outside_of_the_encoding_is_printed_in_one_line(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "config", "--time-zone", "Mond/Krater ☾"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"HOME": str(tmp_path), "PYTHONIOENCODING": "ascii"},
    )
    _, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert process.returncode == 2
    assert errors.count(b"\n") == 1


@pytest.fixture
def log_pipe(tmp_path: Path) -> Generator[tuple[logging.Logger, LogWriter, int]]:
    """Provide a logger whose lines go to a named pipe with little space, and the read end of the pipe."""
    path = tmp_path / "log"
    os.mkfifo(path)
    read_end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(read_end, fcntl.F_SETPIPE_SZ, 4096)
    writer, logger = LogWriter(path), logging.Logger("test")
    logger.addHandler(writer)
    yield logger, writer, read_end
    os.close(read_end)
    writer.close()


def test_lines_above_the_bound_of_the_queue_are_dropped_and_counted(
    log_pipe: tuple[logging.Logger, LogWriter, int],
) -> None:
    logger, _, read_end = log_pipe
    for number in range(5000):
        logger.warning(f"line {number} {'x' * 50}")
    os.set_blocking(read_end, True)
    received = b""
    while b"marker " not in received:
        received += os.read(read_end, 65536)
        logger.warning(f"marker {len(received)}")
    lines = received.decode().splitlines()
    reports = [int(line.split()[0]) for line in lines if " log lines dropped: " in line]
    assert sum(reports) > 0
    assert sum(reports) + len([line for line in lines if line.startswith("line ")]) >= 5000


def test_repeated_lines_of_one_peer_are_suppressed_and_counted(
    log_pipe: tuple[logging.Logger, LogWriter, int],
) -> None:
    logger, writer, read_end = log_pipe
    for number in range(MAX_REPEATS + 7):
        logger.info("closing connection from %s: %s", "203.0.113.8", number)
    logger.info("closing connection from %s: %s", "203.0.113.9", 0)
    for number in range(5):
        logger.info("malformed request from %s", number, extra=ONE_PER_MINUTE)
    logger.info("invalid %d", "arguments")
    logger.info("missing %(key)s", {"other": 1})
    logger.info("unhashable %s", ["argument"])
    writer.close()
    os.set_blocking(read_end, True)
    lines = os.read(read_end, 65536).decode().splitlines()
    assert len([line for line in lines if "203.0.113.8" in line]) == MAX_REPEATS + 1
    assert f"closing connection from 203.0.113.8: {MAX_REPEATS + 6} (7 more such lines in the last minute)" in lines
    assert "closing connection from 203.0.113.9: 0" in lines
    assert "invalid arguments of the log line 'invalid %d'" in lines
    assert "invalid arguments of the log line 'missing %(key)s'" in lines
    assert "unhashable ['argument']" in lines
    assert [line for line in lines if "malformed" in line] == [
        "malformed request from 0",
        "malformed request from 4 (4 more such lines in the last minute)",
    ]


def test_suppressed_lines_are_reported_early_after_many_different_lines(
    log_pipe: tuple[logging.Logger, LogWriter, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_logging, "_MAX_KINDS", 3)
    logger, writer, read_end = log_pipe
    for peer in ("a", "a", "b", "c", "d", "a"):
        logger.info("malformed request from %s", peer, extra={} if peer != "a" else ONE_PER_MINUTE)
    writer.close()
    os.set_blocking(read_end, True)
    assert os.read(read_end, 4096).decode().splitlines() == [
        "malformed request from a",
        "malformed request from b",
        "malformed request from c",
        "malformed request from a (1 more such lines in the last minute)",
        "malformed request from d",
        "malformed request from a",
    ]
