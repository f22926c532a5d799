"""What some tests need besides Python, and what to say where it is missing."""

import os
import shutil
from pathlib import Path

import pytest

JAVASCRIPT = Path(__file__).parent / "javascript"


def need_node() -> str:
    """The path of Node.js, with the test clients installed; skips the test where they are not."""
    node = shutil.which("node")
    if node is None:
        return _missing("Node.js", "apt-get install nodejs npm")
    if not (JAVASCRIPT / "node_modules").is_dir():
        return _missing("the JavaScript test clients", "npm ci --prefix tests/support/javascript")
    return node


def need_axe() -> Path:
    """The script of axe-core; skips the test where it is not installed."""
    need_node()
    script = JAVASCRIPT / "node_modules/axe-core/axe.min.js"
    if not script.is_file():
        return Path(_missing("axe-core", "npm ci --prefix tests/support/javascript"))
    return script


def need_chromium() -> str:
    """The path of Chromium; skips the test where there is none."""
    return shutil.which("chromium") or _missing("Chromium", "apt-get install chromium")


def need_tmux() -> str:
    """The path of tmux; skips the test where there is none."""
    return shutil.which("tmux") or _missing("tmux", "apt-get install tmux")


def need_uv() -> str:
    """The path of uv, which `make test` has brought; skips the test where there is none."""
    own = Path(__file__).parents[2] / ".uv/bin/uv"
    return (
        os.environ.get("UV") or shutil.which("uv") or (str(own) if own.exists() else _missing("uv", "pip install uv"))
    )


def _missing(what: str, remedy: str) -> str:
    reason = f"{what} is not installed: {remedy}"
    if os.environ.get("CHAT_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
