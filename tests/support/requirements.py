"""External programs for tests, and installation hints for missing ones.

With `CHAT_REQUIRE_ALL=1` in the environment, a missing program fails the test instead of skipping the test.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JAVASCRIPT_DIRECTORY = Path(__file__).parent / "javascript"


def require_node() -> str:
    """Return the path of Node.js, or skip the test without Node.js or the test clients."""
    node = shutil.which("node")
    if node is None:
        return _skip_or_fail("Node.js", "apt-get install nodejs npm")
    if not (JAVASCRIPT_DIRECTORY / "node_modules").is_dir():
        return _skip_or_fail("the JavaScript test clients", "npm ci --prefix tests/support/javascript")
    return node


def require_axe() -> Path:
    """Return the path of the axe-core script, or skip the test."""
    require_node()
    script = JAVASCRIPT_DIRECTORY / "node_modules/axe-core/axe.min.js"
    if not script.is_file():
        return Path(_skip_or_fail("axe-core", "npm ci --prefix tests/support/javascript"))
    return script


def find_chromium() -> str | None:
    """Return the path of Chromium's headless shell, else of Chromium, or None.

    The headless shell has the same engine, and takes a third less CPU time.
    """
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


def require_chromium() -> str:
    """Return the path of Chromium (`find_chromium`), or skip the test."""
    return find_chromium() or _skip_or_fail("Chromium", "apt-get install chromium-headless-shell")


def require_tmux() -> str:
    """Return the path of tmux, or skip the test."""
    return shutil.which("tmux") or _skip_or_fail("tmux", "apt-get install tmux")


def require_nginx() -> str:
    """Return the path of nginx, which may be outside the search path of users, or skip the test."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
    return shutil.which("nginx", path=path) or _skip_or_fail("nginx", "apt-get install nginx")


def require_redis() -> str:
    """Return the path of the server program of Redis or Valkey, or skip the test."""
    return (
        shutil.which("redis-server")
        or shutil.which("valkey-server")
        or _skip_or_fail("Redis", "apt-get install redis-server")
    )


def require_postgresql() -> Path:
    """Return the directory of the PostgreSQL programs, or skip the test."""
    initdb = shutil.which("initdb")
    if initdb is not None:
        return Path(initdb).resolve().parent
    bin_directories = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if bin_directories:
        return bin_directories[-1]
    return Path(_skip_or_fail("PostgreSQL", "apt-get install postgresql"))


def require_network_namespace() -> tuple[str, ...]:
    """Return the command that runs a program in a new network namespace, or skip the test."""
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        _skip_or_fail("ip and unshare", "apt-get install iproute2 util-linux")
    command = ("unshare", "--user", "--map-root-user", "--net")
    if subprocess.run((*command, "true"), check=False).returncode:
        pytest.skip("the system refuses network namespaces")
    return command


def require_uv() -> str:
    """Return the path of uv, including the copy installed by `make`, or skip the test."""
    bundled_uv = ROOT / ".uv/bin/uv"
    return (
        os.environ.get("UV")
        or shutil.which("uv")
        or (str(bundled_uv) if bundled_uv.exists() else _skip_or_fail("uv", "pip install uv"))
    )


def require_installation() -> None:
    """Skip the test if `make chat` would install the project first."""
    if subprocess.run(["make", "-q", ".venv/ready"], cwd=ROOT, check=False).returncode:
        _skip_or_fail("the installed project", "make .venv/ready-dev")


def _skip_or_fail(requirement: str, install_command: str) -> str:
    reason = f"missing {requirement}: run {install_command}"
    if os.environ.get("CHAT_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
