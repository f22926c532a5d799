"""Import and structure rules of docs/architecture.md beyond the import-linter contracts."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]


@cache
def graph() -> grimp.ImportGraph:
    """Return the imports of both programs, with those of external packages."""
    return grimp.build_graph("server", "tui_chat", include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize(
    ("packages", "allowed"),
    [
        (
            ("socketio", "engineio"),
            ("server.engineio.socketio_server", "server.engineio.engineio_server", "tui_chat.client.net.transport"),
        ),
        (("sqlalchemy",), ("server.storage",)),
        (("textual", "rich"), ("tui_chat.ui",)),
        (("tui_chat.local_server",), ("tui_chat.ui", "tui_chat.screen_reader", "tui_chat.cli")),
    ],
)
def test_a_package_is_imported_only_by_the_allowed_modules(packages: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    forbidden_importers = {
        module
        for package in packages
        if package in graph().modules
        for module in graph().find_modules_that_directly_import(package)
        if not any(module == part or module.startswith(part + ".") for part in allowed)
    }
    assert forbidden_importers == set()


def test_package_roots_hold_a_docstring_only() -> None:
    for package in ("server", "tui_chat"):
        for root in (ROOT / package).rglob("__init__.py"):
            body = ast.parse(root.read_text()).body
            assert len(body) == 1, root
            assert isinstance(body[0], ast.Expr), root


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("tui_chat.protocol.codec", ["server.domain", "asyncio", "sqlalchemy", "aiohttp", "socketio"]),
        ("server.cli", ["server.app", "sqlalchemy", "aiohttp", "socketio"]),
        ("server.admin_commands", ["server.app", "sqlalchemy", "aiohttp", "socketio"]),
        ("tui_chat.client.client", ["textual", "rich", "sqlalchemy", "server.domain", "server.app"]),
        ("tui_chat.cli_commands.arguments", ["textual", "rich", "aiohttp", "socketio"]),
        ("tui_chat.cli_commands.commands", ["textual", "rich", "sqlalchemy", "server.domain", "server.app"]),
        ("tui_chat.screen_reader.main", ["textual", "rich", "sqlalchemy", "server.domain", "server.app"]),
        ("tui_chat.session.chat_session", ["textual", "rich", "sqlalchemy", "server.domain", "server.app"]),
    ],
)
def test_importing_a_module_loads_no_unneeded_library(module: str, unwanted: list[str]) -> None:
    program = f"import sys, {module}; print(*sorted(set({unwanted!r}) & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == ""
