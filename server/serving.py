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

from server import logs
from server.config import Settings
from server.event_loop import new_event_loop
from server.runtime import Running, ServerError, serve
from server.storage.database import StorageError

log = logging.getLogger("chat.server")

CannotServe = (ServerError, StorageError)
"""What `run` raises when there is something that the operator can mend."""

STOP_WITHIN = 5.0
"""Seconds that an orderly stop may take."""


def run(settings: Settings) -> None:
    """Serve until told to stop; the exit code is then 0.

    Raises:
        CannotServe: It could not start.
    """
    logs.configure(settings.log_format, settings.log_level)
    _allow_many_connections()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_until_told(settings))


async def _until_told(settings: Settings) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    stopping = None
    async with serve(settings) as running:
        _calm_garbage_collector()
        print(_welcome(running), flush=True)
        await told.wait()
        await _drain(running, settings.drain, told)
        log.info("stopping")
        stopping = loop.call_later(STOP_WITHIN, _stop_at_once)
    stopping.cancel()
    log.info("stopped")


async def _drain(running: Running, seconds: float, told: asyncio.Event) -> None:
    """Let a load balancer see that people are to go elsewhere, for so long or until told again."""
    if seconds:
        log.info("not ready any more; stopping in %g seconds, or when told again", seconds)
        running.retire()
        told.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await told.wait()


def _welcome(running: Running) -> str:
    return f"chat-server listens on {running.url} · terminal: chat-tui {running.url} · browser: {running.url}/"


def _allow_many_connections() -> None:
    """Every connection is an open file; take as many as the system lets this user have."""
    if resource is not None:
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))


def _calm_garbage_collector() -> None:
    """Look for cycles seldom: hundreds of messages in flight look like a leak to the default thresholds.

    What a message allocates is freed by its last reference. With the defaults the collector took a
    third of the CPU in small rooms (benchmarks/deliveries.py), and found nothing.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _stop_at_once() -> None:
    log.error("the stop took longer than %s seconds; what was acknowledged is on disk", STOP_WITHIN)
    os._exit(1)
