"""Run of one attack against a new server, with the latency of a bystander before and during the attack."""

import asyncio
import json
import math
import resource
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.attacks.attacks import ATTACKS
from benchmarks.attacks.traffic import AttackCounters
from benchmarks.servers import MeasuredServer, on_server_core
from tests.support.server_process import server_process
from tui_chat.sdk import ChatClient, Room

SEND_INTERVAL = 0.02
MIN_ALLOWED_P99 = 0.05
MAX_SLOWDOWN = 3.0
MAX_GROWTH = 32 * 2**20
START_TIMEOUT, PREPARATION_TIMEOUT = 120.0, 300.0
SERVER_FLAGS = (
    *("--trusted-proxy", "127.0.0.1", "--log-level", "error"),
    *("--message-rate", "1000", "--message-burst", "1000"),  # permits the messages of the bystander
    *("--ping-interval", "600"),  # the members of a large room answer no pings
)


@dataclass(frozen=True)
class AttackReport:
    """Result of one attack.

    Attributes:
        name: Name of the attack.
        quiet_p99: 99th percentile of the latency of the bystander before the attack in seconds.
        p99: 99th percentile during the attack in seconds.
        worst: Maximum during the attack in seconds.
        cpu: CPU time of the server per second.
        growth: Growth of the resident memory of the server in bytes.
        counters: Counters of the attacker.
    """

    name: str
    quiet_p99: float
    p99: float
    worst: float
    cpu: float
    growth: int
    counters: AttackCounters

    @property
    def is_isolated(self) -> bool:
        """True if the bystander and the memory of the server stay within the limits."""
        return self.p99 <= max(MIN_ALLOWED_P99, MAX_SLOWDOWN * self.quiet_p99) and self.growth <= MAX_GROWTH


async def run_attack(name: str, seconds: float) -> AttackReport:
    """Run one attack against a new server on a core of its own.

    Args:
        name: Key of `ATTACKS`.
        seconds: Duration of the attack, and of the quiet measurement before.

    Raises:
        TimeoutError: The start took longer than `START_TIMEOUT`, or the preparation longer than `PREPARATION_TIMEOUT`.
    """
    attack = ATTACKS[name]
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chat-attack-")))
        authority = home / "authority.pem"
        tls_flags = _create_certificate(home / "server.pem", authority) if attack.uses_tls else ()
        flags = (*SERVER_FLAGS, *attack.server_flags, *tls_flags, "--database", str(home / "chat.db"))
        with on_server_core():
            server = await stack.enter_async_context(server_process(home, *flags, timeout=START_TIMEOUT))
        measured = MeasuredServer(server.url, server.process.pid)
        if attack.max_files is not None:
            resource.prlimit(measured.pid, resource.RLIMIT_NOFILE, (attack.max_files, attack.max_files))
        ca_file = str(authority) if attack.uses_tls else None
        client = await stack.enter_async_context(ChatClient(server.url, ca_file=ca_file))
        room = await client.join("bystanders", nick="bystander")
        await measure_latencies(room, min(0.5, seconds))  # warm up
        quiet = await measure_latencies(room, seconds)
        attacker = await stack.enter_async_context(_attacking_process(name, server.port, seconds))
        started, cpu_before, memory_before = time.monotonic(), measured.cpu_seconds(), measured.resident_bytes()
        latencies = await measure_latencies(room, seconds)
        output, _ = await attacker.communicate()
        counters = AttackCounters(**json.loads(output))
        cpu = (measured.cpu_seconds() - cpu_before) / (time.monotonic() - started)
        growth = measured.resident_bytes() - memory_before
        return AttackReport(name, p99(quiet), p99(latencies), max(latencies), cpu, growth, counters)


async def measure_latencies(room: Room, seconds: float) -> list[float]:
    """Send messages for a number of seconds, and return the times from a message to its acknowledgement.

    Raises:
        ChatError: As `Room.send`.
    """
    latencies: list[float] = []
    end = time.monotonic() + seconds
    while (started := time.monotonic()) < end:
        await room.send("bystander")
        latencies.append(time.monotonic() - started)
        await asyncio.sleep(SEND_INTERVAL)
    return latencies


def p99(latencies: list[float]) -> float:
    """Return the 99th percentile of a non-empty list by the nearest-rank method."""
    return sorted(latencies)[math.ceil(0.99 * len(latencies)) - 1]


def _create_certificate(path: Path, authority_path: Path) -> tuple[str, ...]:
    """Write a certificate with its key, and that of its authority; return the flags of the server."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(authority_path))
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(path))
    return ("--tls-cert", str(path), "--tls-key", str(path))


@asynccontextmanager
async def _attacking_process(name: str, port: int, seconds: float) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run an attack in its own process, prepared at the start of the block and killed after the block.

    Raises:
        TimeoutError: The preparation took longer than `PREPARATION_TIMEOUT`.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.attacks.attacker", name, str(port), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PREPARATION_TIMEOUT):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
