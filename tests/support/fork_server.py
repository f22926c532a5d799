"""Process that has imported the modules of both programs, loaded the page, and forks for each start of a program.

    python -m tests.support.fork_server DESCRIPTOR

- Requests: `DESCRIPTOR` is a listening Unix socket. A connection sends one JSON line with the descriptors of standard
  input, standard output, standard error and a status pipe. The reply is the process id. The status pipe receives the
  exit code, negative after a signal.
- Lifetime: the imports run before the first fork. The process ends at the end of its standard input. It ignores Ctrl+C,
  which the terminal sends to all processes of a test run.
- A forked client starts its local server by the fork server as well.
- A fork runs its program like a new interpreter: in the main thread, with its own arguments, environment, directory
  and standard streams.
- After `sys.exit` with a number, a fork waits for its threads, calls the `atexit` functions, collects garbage and
  flushes the standard streams. It skips the deallocation of the modules, which would copy their memory pages and take
  most of the time of short programs. Other ends of a program have the regular shutdown of the interpreter.
- A fork ignores `IMPORT_VARIABLES`, which the interpreter and Textual read before the fork.
"""

import atexit
import fcntl
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TypedDict

from server.web.assets import load_page_assets
from tui_chat import local_server

FORK_SERVER = "TEST_FORK_SERVER"
"""Environment variable with the path of the socket."""

LAUNCHER = Path(__file__).with_name("forked_program.py")
"""Program that starts another program by the fork server and ends like it."""

_MODULES = (
    *("server.cli", "server.process", "server.administration", "server.admin_commands"),
    *("tui_chat.cli", "tui_chat.cli_commands.commands", "tui_chat.screen_reader.main", "tui_chat.ui.app"),
)

IMPORT_VARIABLES = ("PYTHON", "TEXTUAL", "ESCDELAY", "LC_TERMINAL", "TERM_PROGRAM")
"""Prefixes of environment variables that are read at the start of the interpreter or during an import."""


class Request(TypedDict):
    """Start of a program.

    Attributes:
        arguments: Arguments of the interpreter: `-c CODE`, `-m MODULE` or a script, followed by those of the program.
        environ: Complete environment.
        directory: Working directory.
        new_session: Run the program in a new session.
        controlling_terminal: Make standard input the controlling terminal of the session.
    """

    arguments: list[str]
    environ: dict[str, str]
    directory: str
    new_session: bool
    controlling_terminal: bool


def main() -> None:
    """Serve requests until the end of standard input; in a fork, run the program."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    serve(listener, partial(_import_programs, listener.getsockname()))


def serve(listener: socket.socket, prepare: Callable[[], None]) -> None:
    """Serve requests until the end of standard input; in a fork, run the program.

    Args:
        listener: Listening Unix socket.
        prepare: Imports before the first fork.
    """
    request = _fork_programs(listener, cache(prepare))
    if request is None:
        return
    try:
        _run_program(request)
    except SystemExit as stop:
        if isinstance(stop.code, int):
            exit_process(stop.code)
        raise


def launcher_command(address: str) -> tuple[str, ...]:
    """Return the command line that starts a program by the fork server at `address`, followed by its arguments."""
    return (sys.executable, "-I", "-S", str(LAUNCHER), address)


def _import_programs(address: str) -> None:
    for name in _MODULES:
        importlib.import_module(name)
    load_page_assets()  # cached, and a third of the start of a server
    local_server.SERVER_COMMAND = (*launcher_command(address), "-m", "server")
    gc.freeze()  # a collection in a fork would copy the memory pages of all objects


def _fork_programs(listener: socket.socket, prepare: Callable[[], None]) -> Request | None:
    """Fork for each request. Return None at the end of standard input, and in a fork the request."""
    wakeup_pipe = os.pipe()
    for descriptor in wakeup_pipe:
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(wakeup_pipe[1])
    signal.signal(signal.SIGCHLD, _ignore)
    interrupt_handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    status_pipes: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([0, listener, wakeup_pipe[0]], [], [])
        if wakeup_pipe[0] in ready:
            os.read(wakeup_pipe[0], 4096)
            _report_exits(status_pipes)
        if 0 in ready:
            return None
        if listener not in ready:
            continue
        prepare()
        connection, _ = listener.accept()
        message, descriptors, _, _ = socket.recv_fds(connection, 65_536, 4)
        while not message.endswith(b"\n"):
            message += connection.recv(65_536)
        *streams, status_pipe = descriptors
        pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, interrupt_handler)
            for number, descriptor in enumerate(streams):
                os.dup2(descriptor, number)
            for descriptor in (*descriptors, *status_pipes.values(), *wakeup_pipe):
                os.close(descriptor)
            connection.close()
            listener.close()
            return json.loads(message)
        for descriptor in streams:
            os.close(descriptor)
        status_pipes[pid] = status_pipe
        with suppress(BrokenPipeError):  # the test has timed out
            connection.sendall(b"%d\n" % pid)
        connection.close()


def _ignore(_number: int, _frame: object) -> None:
    """Handle SIGCHLD, which without a handler does not write to the wakeup pipe."""


def _report_exits(status_pipes: dict[int, int]) -> None:
    for pid in list(status_pipes):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            status_pipe = status_pipes.pop(pid)
            with suppress(BrokenPipeError):  # the test has ended
                os.write(status_pipe, b"%d" % os.waitstatus_to_exitcode(status))
            os.close(status_pipe)


def _run_program(request: Request) -> None:
    if request["new_session"]:
        os.setsid()
    if request["controlling_terminal"]:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    # As at the start of an interpreter, standard output is line-buffered only on a terminal.
    sys.stdin = sys.__stdin__ = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, "utf-8", errors="backslashreplace", closefd=False)
    match request["arguments"]:
        case ["-u", "-c", code, *arguments] | ["-c", code, *arguments]:
            sys.argv = ["-c", *arguments]
            exec(code, {"__name__": "__main__"})
        case ["-m", module, *arguments]:
            sys.argv = [module, *arguments]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case arguments:
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")


def exit_process(code: int) -> None:
    """Exit the process. Return if a standard stream rejects its output, which the regular shutdown reports."""
    threading._shutdown()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    gc.collect()
    with suppress(OSError, ValueError):
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
