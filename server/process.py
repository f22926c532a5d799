"""Server process: run until a signal, a `stop` command or the idle timeout, then shut down in order.

- SIGHUP reads the certificate again and opens the log file again.
- SIGUSR1 and SIGUSR2 have no effect, because a mistaken signal must not end the server.
"""

import asyncio
import gc
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from errno import EADDRINUSE
from pathlib import Path
from threading import Thread
from typing import Any

try:
    from uvloop import new_event_loop
except ImportError:  # uvloop does not support Windows
    from asyncio import new_event_loop
try:
    import resource
except ImportError:  # not available on Windows
    resource = None


from server.api_setup import VERSION
from server.app import RunningServer, serve
from server.control_socket import ControlHandler, serve_control_socket
from server.listener import StartupError
from server.logging import LogWriter, configure_logging
from server.settings import ServerSettings
from server.settings_sources import find_ignored_variables
from server.storage.errors import DatabaseInUse, StorageError
from tui_chat.argument_parser import shown_command
from tui_chat.signal_handlers import handle_signal

log = logging.getLogger("chat.server")

STARTUP_ERRORS = (StartupError, StorageError)
"""Exceptions of `run` that the operator can resolve."""

_MAX_OPEN_FILES_MACOS = 10_240  # OPEN_MAX in sys/syslimits.h
_SHUTDOWN_TIMEOUT = 5.0  # maximum duration of an orderly shutdown, in seconds


def startup_error_code(error: Exception) -> str:
    """Return the code of a `STARTUP_ERRORS` exception for programs that start the server.

    The code is `databaseInUse`, `portInUse`, or `startFailed` for all other causes.
    """
    cause = error.__cause__
    if isinstance(cause, DatabaseInUse):
        return "databaseInUse"
    return "portInUse" if isinstance(cause, OSError) and cause.errno == EADDRINUSE else "startFailed"


def run(settings: ServerSettings, *, managed: bool = False) -> None:
    """Serve until SIGINT, SIGTERM, the command `stop` or the idle timeout, and return after the shutdown.

    The first signal starts the shutdown; further signals end only the drain period. The process exits with code 1 if
    the shutdown after this period exceeds 5 seconds. The call configures logging, signal handlers, garbage collection
    and the limit of open files for the process, and must be made in the main thread.

    Args:
        settings: Resolved server settings.
        managed: Print the URL as a line of JSON, in place of the message for the operator. The starting program counts
            as a client until the end of standard input; without an idle timeout, the server stops then.

    Raises:
        StartupError: The server cannot start, for example because the port, the log file or the TLS certificate is
            unusable.
        StorageError: The database is unusable.
    """
    for name in ("SIGHUP", "SIGUSR1", "SIGUSR2"):  # do not exist on Windows
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        log_path = Path(settings.log_file) if settings.log_file else None
        log_writer = configure_logging(settings.log_format, settings.log_level, log_path, settings.log_max_bytes)
    except OSError as error:
        raise StartupError(f"{settings.log_file}: {error.strerror or error}") from error
    for warning in find_ignored_variables(os.environ):
        log.warning(warning)
    _raise_open_file_limit()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_run_until_signal(settings, managed, log_writer))


async def _run_until_signal(settings: ServerSettings, managed: bool, log_writer: LogWriter) -> None:
    """Start the server, report the start, wait for a request to stop, and shut down after the drain period (`run`)."""
    stop_requested = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM"):
        handle_signal(name, lambda _: stop_requested.set())
    launcher_exited = asyncio.Event()
    if managed:
        on_input_end = launcher_exited.set if settings.exit_when_idle else stop_requested.set
        Thread(target=_watch_stdin, args=(loop, on_input_end), daemon=True).start()
    else:
        launcher_exited.set()
    shutdown_timer = None
    async with AsyncExitStack() as stack:
        server = await _start_server(stack, settings)
        await stack.enter_async_context(
            serve_control_socket(_create_control_handlers(server, settings, stop_requested.set))
        )
        if settings.exit_when_idle:
            idle_watch = loop.create_task(_wait_until_idle(server.idle_time, settings.exit_when_idle, launcher_exited))
            idle_watch.add_done_callback(lambda _: stop_requested.set())
            stack.callback(idle_watch.cancel)
        handle_signal("SIGHUP", lambda _: _reload(server, log_writer))
        _tune_gc()
        client = f"{shown_command('chat-tui')} {server.url}"
        message = f"chat-server listens on {server.url} · terminal: {client} · browser: {server.url}/"
        report = f"{json.dumps({'url': server.url}) if managed else message}\n".encode()
        Thread(target=_report_start, args=(report,), daemon=True).start()
        await stop_requested.wait()
        await _drain(server, settings.drain, stop_requested)
        log.info("server stopping")
        shutdown_timer = loop.call_later(_SHUTDOWN_TIMEOUT, _exit_immediately)
    shutdown_timer.cancel()
    log.info("server stopped")


def _create_control_handlers(
    server: RunningServer, settings: ServerSettings, stop: Callable[[], None]
) -> dict[str, ControlHandler]:
    """Return the handlers of the control socket by command name (docs/operating.md, "Control socket").

    The commands are the administration commands, `status` and `stop`. `stop` only requests the shutdown, and returns
    an upper bound of the duration of drain period and shutdown as `timeout` in seconds.
    """
    started_at = time.monotonic()

    async def get_status(_request: Mapping[str, Any]) -> dict[str, Any]:
        metrics = server.read_metrics()
        return {
            "version": VERSION,
            "url": server.url,
            "port": server.port,
            "pid": os.getpid(),
            "uptime": round(time.monotonic() - started_at, 3),
            "connections": metrics.connections,
            "rooms": metrics.rooms,
            "members": metrics.members,
            "database": settings.describe_database(),
        }

    async def request_stop(_request: Mapping[str, Any]) -> dict[str, Any]:
        stop()
        return {"timeout": settings.drain + _SHUTDOWN_TIMEOUT + 1.0}

    return {**server.control_handlers, "status": get_status, "stop": request_stop}


async def _wait_until_idle(idle_time: Callable[[], float], timeout: float, launcher_exited: asyncio.Event) -> None:
    """Wait until `timeout` seconds have passed since the end of the last client and of the starting program.

    The idle time is logged before the return. A failed check is logged and repeated after `timeout` seconds.
    """
    await launcher_exited.wait()
    started_at = time.monotonic()
    remaining = timeout
    while remaining > 0:
        await asyncio.sleep(remaining)
        try:
            remaining = timeout - min(idle_time(), time.monotonic() - started_at)
        except Exception:
            log.exception("check of the idle timeout failed, retrying in %g seconds", timeout)
            remaining = timeout
    log.info("no clients for %g seconds", timeout)


def _report_start(report: bytes) -> None:
    """Write to the descriptor of standard output, and ignore errors.

    Runs in a thread, because a pipe that is not read blocks the write.
    """
    with suppress(OSError):  # full disk or closed pipe
        os.write(1, report)


async def _start_server(stack: AsyncExitStack, settings: ServerSettings) -> RunningServer:
    """Start the server within the stack.

    Raises:
        StartupError: The server cannot start, even for an unexpected exception; the message has one line.
        StorageError: The database is unusable.
    """
    try:
        return await stack.enter_async_context(serve(settings))
    except STARTUP_ERRORS:
        raise
    except Exception as error:
        log.debug("start failed", exc_info=error)
        raise StartupError(f"cannot start: {str(error).partition(os.linesep)[0] or type(error).__name__}") from error


def _reload(server: RunningServer, log_writer: LogWriter) -> None:
    """Open the log file again, then read the certificate again, if there is one; each result is logged.

    After an error, the previous log file or certificate stays in use, and the other one is still reloaded.
    """
    for name, reload in (("log file", log_writer.reopen), ("certificate", server.reload_certificate)):
        if reload is None:
            continue
        try:
            reload()
        except (OSError, StartupError) as error:
            log.error("reload failed, the previous %s stays in use: %s", name, error)
        else:
            log.info("%s reloaded", name)


def _watch_stdin(loop: asyncio.AbstractEventLoop, on_end: Callable[[], None]) -> None:
    """Read and discard standard input until its end, then call `on_end` on the event loop. Blocks; runs in a thread.

    The end also follows a crash of the parent process, and a read error counts as the end. A closed loop is ignored.
    The file object would block the exit of the interpreter, so the thread reads the descriptor.
    """
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(on_end)


async def _drain(server: RunningServer, timeout: float, stop_requested: asyncio.Event) -> None:
    """Report not-ready for `timeout` seconds or until another request to stop, so that load balancers redirect clients.

    Connections continue, and `/ready` fails until the end of the process. A timeout of 0 returns immediately, without a
    failing `/ready`.
    """
    if timeout:
        log.info("server draining: /ready returns 503; shutdown in %g seconds or at the next signal", timeout)
        server.begin_drain()
        stop_requested.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop_requested.wait(), timeout)


def _raise_open_file_limit() -> None:
    """Raise the soft limit of open files to the hard limit, because each connection uses one descriptor.

    macOS refuses an unlimited number and accepts `_MAX_OPEN_FILES_MACOS`. If the system refuses both, a warning is
    logged and the limit stays unchanged. No effect on Windows.
    """
    if resource is None:
        return
    soft_limit, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (hard_limit, _MAX_OPEN_FILES_MACOS):
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard_limit))
            return
    log.warning("the system refuses a higher limit of open files than %d, which limits the connections", soft_limit)


def _tune_gc() -> None:
    """Enable garbage collections of a reduced frequency, and exempt all present objects from them.

    Messages in flight exceed the default thresholds, although reference counting frees all of them. In small
    rooms, default thresholds cost a third of the CPU without a freed object (benchmarks/deliveries.py).
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def _exit_immediately() -> None:
    """Log the exceeded shutdown timeout, and end the process with code 1 without further cleanup."""
    log.error("shutdown exceeded %s seconds, exiting now; acknowledged messages are on disk", _SHUTDOWN_TIMEOUT)
    logging.shutdown()
    os._exit(1)
