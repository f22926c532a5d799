"""Process of one attack: `python -m benchmarks.attacks.attacker NAME PORT SECONDS`.

Prints `ready` after the preparation of the attack, and its counters as JSON after the attack.
"""

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict

from benchmarks.attacks.attacks import ATTACKS
from benchmarks.attacks.preparation import no_preparation
from benchmarks.attacks.traffic import AttackCounters
from benchmarks.servers import pin_to_load_core
from tests.support.wait import wait_until

MAX_EXTENSION = 60.0
"""Seconds for the first effect on the attacker, because a busy machine delays the attack too."""

SETTLING_TIME = 3.0
"""Seconds for the pushes of a preparation, which are no effect of the attack."""


async def main(name: str, port: int, seconds: float) -> None:
    """Prepare one attack, run the attack and print its counters.

    Args:
        name: Key of `ATTACKS`.
        port: Port of the server.
        seconds: Duration of the attack; without an effect on the attacker, up to `MAX_EXTENSION` longer.
    """
    counters, attack = AttackCounters(), ATTACKS[name]
    async with attack.prepare(port):
        if attack.prepare is not no_preparation:
            await asyncio.sleep(SETTLING_TIME)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # the bystander on the same core has precedence
        print("ready", flush=True)
        flood = asyncio.ensure_future(attack.flood(port, counters))
        await asyncio.sleep(seconds)
        with suppress(TimeoutError):
            await wait_until(lambda: counters.is_limited, MAX_EXTENSION)
        flood.cancel()
        await asyncio.wait({flood})
        print(json.dumps(asdict(counters)))


if __name__ == "__main__":
    pin_to_load_core()
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
