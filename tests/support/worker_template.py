"""Process that has imported the tests and forks the workers of a test run.

- Template: a fork of the controller. Without it, each worker imports all modules, and compiles them in a new checkout.
- Errors: the template ignores a test module whose import fails, so that each worker reports the error.
- Lifetime: the process ends with the block of `forked_workers`, or with the controller.
"""

import gc
import importlib
import os
import shlex
import shutil
import signal
import socket
import tempfile
import traceback
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from typing import NoReturn

import pytest
from hypothesis.errors import HypothesisSideeffectWarning
from hypothesis.internal.conjecture.providers import _get_local_constants  # pyright: ignore[reportPrivateUsage]

from tests.support.fork_server import exit_process, launcher_command, serve


@contextmanager
def forked_workers(config: pytest.Config) -> Generator[None]:
    """Fork the local workers that start within the block from a template."""
    lifetime_pipe = os.pipe()
    directory = tempfile.mkdtemp(prefix="chat-workers-")
    address = f"{directory}/fork-server"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        pid = os.fork()
        if not pid:
            os.dup2(lifetime_pipe[0], 0)
            for descriptor in lifetime_pipe:
                os.close(descriptor)
            _run_template(config, listener)
    os.close(lifetime_pipe[0])
    template = f"popen//python={shlex.join(launcher_command(address))}"
    config.option.tx = [template if spec == "popen" else spec for spec in config.option.tx]
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)  # without a wait for unfinished imports
        os.waitpid(pid, 0)
        os.close(lifetime_pipe[1])
        shutil.rmtree(directory)


def _run_template(config: pytest.Config, listener: socket.socket) -> NoReturn:
    """Run the template, and in its forks the workers."""
    code = 0
    try:
        serve(listener, partial(_import_tests, config))
    except BaseException:
        traceback.print_exc()
        code = 1
    exit_process(code)
    os._exit(code)


def _import_tests(config: pytest.Config) -> None:
    """Import the selected test modules under the names that pytest gives to them."""
    for argument in config.args:
        selected = config.invocation_params.dir / argument.split("::")[0]
        for path in sorted(selected.rglob("test_*.py")) if selected.is_dir() else [selected]:
            with suppress(BaseException):  # an exit or skip as well; each worker imports the module again
                importlib.import_module(".".join(path.relative_to(config.rootpath).with_suffix("").parts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisSideeffectWarning)  # about plugins that delay each start
        _get_local_constants()  # cached for all workers
    gc.freeze()  # a collection in a worker would copy the memory pages of all objects
