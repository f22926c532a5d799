"""Start of Python programs in their own processes.

During a test run, `tests.support.fork_server` starts the programs, because the imports of an interpreter take most of
the time of short programs. Outside of tests, as in benchmarks, each program starts its own interpreter.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.base_subprocess import BaseSubprocessTransport
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tests.support.fork_server import FORK_SERVER, IMPORT_VARIABLES, Request, launcher_command

PIPE = asyncio.subprocess.PIPE

_STREAM_LIMIT = 65_536  # default of asyncio

_SESSION_LEADER_SCRIPT = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)
"""Program that acquires the controlling terminal of its session, then executes the command."""


def fork(request: Request, descriptors: Sequence[int]) -> int:
    """Start a program by the fork server, with its standard streams and its status pipe; return the process id."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[FORK_SERVER])
        socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], descriptors)
        return int(connection.recv(64))


class _ForkedProcess:
    """Program of the fork server, with the part of `subprocess.Popen` that asyncio uses."""

    def __init__(self, request: Request, streams: Sequence[int | None]) -> None:
        self.returncode: int | None = None
        self.status_pipe, status_end = os.pipe()
        files: list[IO[bytes] | None] = []
        program_ends: list[int] = []
        for number, stream in enumerate(streams):
            if stream == PIPE:
                read_end, write_end = os.pipe()
                program_ends.append(write_end if number else read_end)
                files.append(os.fdopen(read_end, "rb", 0) if number else os.fdopen(write_end, "wb", 0))
            else:
                program_ends.append(os.dup(number if stream is None else stream))
                files.append(None)
        self.stdin, self.stdout, self.stderr = files
        self.pid = fork(request, [*program_ends, status_end])
        for descriptor in (*program_ends, status_end):
            os.close(descriptor)

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _ForkTransport(BaseSubprocessTransport):
    """Subprocess transport of a program of the fork server."""

    def _start(  # noqa: PLR0917 (signature of asyncio)
        self,
        args: str | bytes | Sequence[str | bytes],
        shell: bool,
        stdin: int | IO[bytes] | None,
        stdout: int | IO[bytes] | None,
        stderr: int | IO[bytes] | None,
        bufsize: int,
        **kwargs: Any,
    ) -> None:
        self._proc = kwargs["process"]
        self._status_pipe: int = kwargs["process"].status_pipe
        self._loop.add_reader(self._status_pipe, self._read_status)

    def _read_status(self) -> None:
        code = int(os.read(self._status_pipe, 64))
        self._close_status_pipe()
        self._process_exited(code)

    def _close_status_pipe(self) -> None:
        if self._status_pipe >= 0:
            self._loop.remove_reader(self._status_pipe)
            os.close(self._status_pipe)
            self._status_pipe = -1

    def close(self) -> None:
        super().close()
        self._close_status_pipe()


def forked_python() -> tuple[str, ...]:
    """Return a command line in place of the interpreter, whose programs the fork server starts.

    The process of the command line ends like the program and forwards SIGINT and SIGTERM, but no other signal.
    """
    return launcher_command(os.environ[FORK_SERVER])


async def start_program(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    directory: Path | None = None,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    new_session: bool = False,
    controlling_terminal: bool = False,
) -> asyncio.subprocess.Process:
    """Start a program, by the fork server if it runs and the command is a module or script of this interpreter.

    Other options and `IMPORT_VARIABLES` require a new interpreter. So does `-c`, whose code may change imports.

    Args:
        command: Program and arguments.
        environ: Complete environment.
        directory: Working directory; None for the current one.
        stdin: Standard input: a descriptor, `PIPE`, or None for that of this process.
        stdout: Standard output.
        stderr: Standard error.
        new_session: Run the program in a new session.
        controlling_terminal: Make standard input the controlling terminal of the session.
    """
    executable, *arguments = command
    is_plain = executable == sys.executable and (arguments[0] == "-m" or not arguments[0].startswith("-"))
    if FORK_SERVER not in os.environ or not is_plain or any(name.startswith(IMPORT_VARIABLES) for name in environ):
        leader = (sys.executable, "-c", _SESSION_LEADER_SCRIPT) if controlling_terminal else ()
        return await asyncio.create_subprocess_exec(
            *(*leader, *command),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=directory,
            env=environ,
            start_new_session=new_session,
        )
    request = Request(
        arguments=arguments,
        environ=dict(environ),
        directory=str(directory or Path.cwd()),
        new_session=new_session,
        controlling_terminal=controlling_terminal,
    )
    loop = asyncio.get_running_loop()
    protocol = asyncio.subprocess.SubprocessStreamProtocol(limit=_STREAM_LIMIT, loop=loop)
    connected: asyncio.Future[Any] = loop.create_future()
    process = _ForkedProcess(request, (stdin, stdout, stderr))
    transport = _ForkTransport(
        loop, protocol, command, False, stdin, stdout, stderr, 0, waiter=connected, process=process
    )
    await connected
    return asyncio.subprocess.Process(transport, protocol, loop)
