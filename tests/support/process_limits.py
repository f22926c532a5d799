"""Resource limits of other processes."""

import resource

_LIMITS = {
    "cpu": resource.RLIMIT_CPU,
    "memory": resource.RLIMIT_AS,
    "output": resource.RLIMIT_FSIZE,
    "files": resource.RLIMIT_NOFILE,
    "core": resource.RLIMIT_CORE,
}


def read_limits(pid: int) -> dict[str, int]:
    """Return the hard limits that `tui_chat.process_limits.limit_process` sets, of another process.

    The units are seconds of CPU time and bytes, and the number of open files.
    """
    return {name: resource.prlimit(pid, limit)[1] for name, limit in _LIMITS.items()}
