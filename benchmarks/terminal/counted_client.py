"""chat-tui with a count of its garbage collections.

    python -m benchmarks.terminal.counted_client COUNT_FILE [ARGUMENT ...]

Each collection appends one byte to COUNT_FILE.
"""

import gc
import os
import sys
from typing import Any

from tui_chat.cli import main


def run() -> None:
    """Run chat-tui with the arguments after COUNT_FILE."""
    descriptor = os.open(sys.argv.pop(1), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def on_collection(phase: str, _: dict[str, Any]) -> None:
        if phase == "start":
            os.write(descriptor, b".")

    gc.callbacks.append(on_collection)
    main()


if __name__ == "__main__":
    run()
