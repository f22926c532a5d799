"""A server as a process: runs until SIGINT or SIGTERM, and stops in order."""

import asyncio
import gc
import logging
import os
import signal
from contextlib import suppress

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None


from server.app import RunningServer, StartupError, serve
from server.event_loop import new_event_loop
from server.logging import configure_logging
from server.settings import ServerSettings
from server.storage.database import StorageError

log = logging.getLogger("chat.server")

STARTUP_ERRORS = (StartupError, StorageError)
"""What `run` raises when there is something that the operator can mend."""

SHUTDOWN_TIMEOUT = 5.0
"""Seconds that an orderly stop may take."""


def run(settings: ServerSettings) -> None:
    """Serve until told to stop; the exit code is then 0.

    Raises:
        CannotServe: It could not start.
    """
    configure_logging(settings.log_format, settings.log_level)
    _raise_open_file_limit()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_run_until_signal(settings))


async def _run_until_signal(settings: ServerSettings) -> None:
    stop_requested = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop_requested.set)
    shutdown_timer = None
    async with serve(settings) as server:
        _tune_gc()
        print(_startup_message(server), flush=True)
        await stop_requested.wait()
        await _drain(server, settings.drain, stop_requested)
        log.info("stopping")
        shutdown_timer = loop.call_later(SHUTDOWN_TIMEOUT, _exit_immediately)
    shutdown_timer.cancel()
    log.info("stopped")


async def _drain(server: RunningServer, timeout: float, stop_requested: asyncio.Event) -> None:
    """Let a load balancer see that people are to go elsewhere, for so long or until told again."""
    if timeout:
        log.info("not ready any more; stopping in %g seconds, or when told again", timeout)
        server.begin_drain()
        stop_requested.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await stop_requested.wait()


def _startup_message(server: RunningServer) -> str:
    return f"chat-server listens on {server.url} · terminal: chat-tui {server.url} · browser: {server.url}/"


def _raise_open_file_limit() -> None:
    """Every connection is an open file; take as many as the system lets this user have."""
    if resource is not None:
        hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


def _tune_gc() -> None:
    """Look for cycles seldom: hundreds of messages in flight look like a leak to the default thresholds.

    What a message allocates is freed by its last reference. With the defaults the collector took a
    third of the CPU in small rooms (benchmarks/deliveries.py), and found nothing.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _exit_immediately() -> None:
    log.error("the stop took longer than %s seconds; what was acknowledged is on disk", SHUTDOWN_TIMEOUT)
    os._exit(1)
