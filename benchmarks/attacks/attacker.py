"""Process of one attack: `python -m benchmarks.attacks.attacker NAME PORT SECONDS`, prints its counters as JSON."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict

from benchmarks.attacks.attacks import ATTACKS, AttackCounters
from benchmarks.servers import pin_to_load_core


async def main(name: str, port: int, seconds: float) -> None:
    """Run one attack for a number of seconds and print its counters."""
    counters = AttackCounters()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ATTACKS[name](port, counters)
    print(json.dumps(asdict(counters)))


if __name__ == "__main__":
    pin_to_load_core()
    os.nice(10)  # the bystander on the same core has precedence
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
