"""Effect of attacks on a bystander, one fresh server per attack: `make attacks`.

The bystander sends a message every 20 ms and measures the time to its acknowledgement, before and during the attack.
Exit code 1 if the p99 during an attack exceeds the larger of 50 ms and three times the quiet p99, or if the server
grows by more than 32 MiB.
"""

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attacks.attacks import ATTACKS, AttackCounters
from benchmarks.servers import MeasuredServer, pin_to_load_core
from tests.support.server_process import server_process
from tui_chat.sdk import ChatClient, Room

SEND_INTERVAL = 0.02
MIN_ALLOWED_P99 = 0.05
MAX_SLOWDOWN = 3.0
MAX_GROWTH = 32 * 2**20
SERVER_FLAGS = ("--trusted-proxy", "127.0.0.1", "--message-rate", "1000", "--message-burst", "1000")
"""The attacker has its own address behind a trusted proxy. The higher message rate permits the bystander's messages."""


@dataclass(frozen=True)
class AttackReport:
    """Result of one attack; latencies in seconds, `growth` in bytes, `cpu` in cores."""

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


@asynccontextmanager
async def attacking_process(name: str, port: int, seconds: float) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run an attack in its own process within the block; kill the process if the attack outlasts the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.attacks.attacker", name, str(port), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def run_attack(name: str, seconds: float) -> AttackReport:
    """Run one attack against a fresh server.

    Args:
        name: Key of `ATTACKS`.
        seconds: Duration of the attack; the quiet measurement before takes half of it.
    """
    with tempfile.TemporaryDirectory(prefix="chat-attack-") as folder:
        flags = (*SERVER_FLAGS, "--database", f"{folder}/chat.db", "--log-level", "error")
        async with server_process(Path(folder), *flags) as server, ChatClient(server.url) as client:
            room = await client.join("bystanders", nick="bystander")
            measured = MeasuredServer(server.url, server.process.pid)
            await measure_latencies(room, 0.5)  # warm up
            quiet = await measure_latencies(room, seconds / 2)
            cpu_before, memory_before = measured.cpu_seconds(), measured.resident_bytes()
            async with attacking_process(name, server.port, seconds + 1) as attacker:
                await asyncio.sleep(1)  # start of the interpreter
                latencies = await measure_latencies(room, seconds)
                output, _ = await attacker.communicate()
            counters = AttackCounters(**json.loads(output))
            cpu = (measured.cpu_seconds() - cpu_before) / (seconds + 1)
            growth = measured.resident_bytes() - memory_before
            return AttackReport(name, p99(quiet), p99(latencies), max(latencies), cpu, growth, counters)


def print_report(report: AttackReport) -> None:
    """Print one row of the table."""
    counters = report.counters
    print(
        f"{report.name:<26}{report.quiet_p99 * 1000:>9.1f}{report.p99 * 1000:>9.1f}{report.worst * 1000:>9.1f}"
        f"{report.cpu:>7.2f}{report.growth / 2**20:>9.1f}{counters.units:>11}{counters.disconnects:>9}"
        f"  {'ok' if report.is_isolated else 'AFFECTED'}",
        flush=True,
    )


def main() -> int:
    """Run the attacks and print the table.

    Returns:
        Exit code: 1 if an attack affects the bystander or the memory of the server.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="duration of each attack")
    parser.add_argument("names", nargs="*", default=list(ATTACKS), help="attacks to run, default all")
    args = parser.parse_args()
    pin_to_load_core()
    print(f"{'attack':<26}{'quiet ms':>9}{'p99 ms':>9}{'max ms':>9}{'cores':>7}{'+ MiB':>9}{'units':>11}{'closed':>9}")
    reports: list[AttackReport] = []
    for name in args.names:
        reports.append(asyncio.run(run_attack(name, args.seconds)))
        print_report(reports[-1])
    return 0 if all(report.is_isolated for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
