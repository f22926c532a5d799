"""Directory and fork server of a test run, shared by its workers.

- Owner: the first process of the run, which is the controller of the workers. Its end stops the fork server.
- Workers inherit `RUN_DIRECTORY` and `FORK_SERVER` in their environment.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.environment import program_environment
from tests.support.fork_server import FORK_SERVER

RUN_DIRECTORY = "TEST_RUN_DIRECTORY"
"""Environment variable with the directory of the processes that the workers share."""


@contextmanager
def run_services() -> Generator[None]:
    """Provide the directory and the fork server within the block."""
    with TemporaryDirectory(prefix="chat-run-") as directory:
        Path(directory).chmod(0o711)  # PostgreSQL runs as another user
        address = f"{directory}/fork-server"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen()
            process = subprocess.Popen(
                (sys.executable, "-m", "tests.support.fork_server", str(listener.fileno())),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                cwd=Path(__file__).parents[2],
                env=program_environment(Path.home(), TEXTUAL_FPS="240"),  # value of `tui_chat.cli`
                pass_fds=(listener.fileno(),),
            )
        os.environ |= {RUN_DIRECTORY: directory, FORK_SERVER: address}
        try:
            yield
        finally:
            process.communicate()
