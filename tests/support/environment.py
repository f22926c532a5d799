"""Environment of programs under test."""

import os
from pathlib import Path

# COLUMNS and LINES would override the size of a pseudo-terminal, MAKEFLAGS and ARGS the arguments of `make`.
# Textual adapts to TERM_PROGRAM and ESCDELAY. TEST_ is the prefix of `tests.support.run_services`.
_HOST_PREFIXES = (
    *("CHAT_", "XDG_", "TEXTUAL", "LC_", "PYTHON", "COLUMNS", "LINES", "MAKE", "ARGS", "TERM_PROGRAM", "ESCDELAY"),
    "TEST_",
)


def program_environment(home: Path, **variables: str) -> dict[str, str]:
    """Return an environment with its own home directory, independent of the settings of the host.

    Args:
        home: Home directory.
        variables: Additional environment variables.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_HOST_PREFIXES)}
    return {**inherited, "HOME": str(home), "LANG": "C.UTF-8", **variables}
