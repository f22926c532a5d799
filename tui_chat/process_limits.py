"""Resource limits of child processes for untrusted files."""

import os
import sys
from contextlib import suppress

if sys.platform != "win32":
    import resource


def limit_process(*, cpu_seconds: int, memory_bytes: int, output_bytes: int, niceness: int = 0) -> None:
    """Limit the resources of this process permanently and reduce its priority; no effect on Windows.

    The process can open 32 files, and writes no core dump. A lower hard limit stays, and a limit that the system
    rejects has no effect, such as that of the address space on macOS.

    Args:
        cpu_seconds: Total CPU time.
        memory_bytes: Size of the address space.
        output_bytes: Size of each written file.
        niceness: Reduction of the priority.
    """
    if sys.platform != "win32":
        for limit, value in (
            (resource.RLIMIT_CPU, cpu_seconds),
            (resource.RLIMIT_AS, memory_bytes),
            (resource.RLIMIT_FSIZE, output_bytes),
            (resource.RLIMIT_NOFILE, 32),
            (resource.RLIMIT_CORE, 0),
        ):
            hard_limit = resource.getrlimit(limit)[1]
            new_limit = value if hard_limit == resource.RLIM_INFINITY else min(value, hard_limit)
            with suppress(ValueError, OSError):
                resource.setrlimit(limit, (new_limit, new_limit))
        os.nice(niceness)
