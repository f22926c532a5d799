"""What some tests need besides Python, and what to say where it is missing."""

import os
import shutil
from pathlib import Path

import pytest

JAVASCRIPT_DIRECTORY = Path(__file__).parent / "javascript"


def require_node() -> str:
    """The path of Node.js, with the test clients installed; skips the test where they are not."""
    node = shutil.which("node")
    if node is None:
        return _skip_or_fail("Node.js", "apt-get install nodejs npm")
    if not (JAVASCRIPT_DIRECTORY / "node_modules").is_dir():
        return _skip_or_fail("the JavaScript test clients", "npm ci --prefix tests/support/javascript")
    return node


def require_axe() -> Path:
    """The script of axe-core; skips the test where it is not installed."""
    require_node()
    script = JAVASCRIPT_DIRECTORY / "node_modules/axe-core/axe.min.js"
    if not script.is_file():
        return Path(_skip_or_fail("axe-core", "npm ci --prefix tests/support/javascript"))
    return script


def require_chromium() -> str:
    """The path of Chromium; skips the test where there is none."""
    return shutil.which("chromium") or _skip_or_fail("Chromium", "apt-get install chromium")


def require_tmux() -> str:
    """The path of tmux; skips the test where there is none."""
    return shutil.which("tmux") or _skip_or_fail("tmux", "apt-get install tmux")


def require_uv() -> str:
    """The path of uv, which `make test` has brought; skips the test where there is none."""
    bundled_uv = Path(__file__).parents[2] / ".uv/bin/uv"
    return (
        os.environ.get("UV")
        or shutil.which("uv")
        or (str(bundled_uv) if bundled_uv.exists() else _skip_or_fail("uv", "pip install uv"))
    )


def _skip_or_fail(requirement: str, install_command: str) -> str:
    reason = f"{requirement} is not installed: {install_command}"
    if os.environ.get("CHAT_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
