"""Installation by the Makefile in directories with spaces, with fake `uv` and `python3` programs and with uv."""

import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.environment import program_environment
from tests.support.requirements import require_uv

ROOT = Path(__file__).parents[2]
UV = """#!/bin/sh
test "$1" != export || exit EXPORT_STATUS
test "$1" = sync || exit 9
echo "NAME: $*" >&2
mkdir -p .venv/bin
printf '#!/bin/sh\\necho chat-tui "$@"\\n' > .venv/bin/chat-tui
chmod +x .venv/bin/chat-tui
"""
PYTHON = """#!/bin/sh
case "$1 $2" in
"-c "*) exit VENV_STATUS;;
"-m venv") mkdir -p .uv/bin; cp "$0" .uv/bin/python;;
"-m pip") cp "$(dirname "$0")/../../bundled uv" .uv/bin/uv;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "my chat"
    directory.mkdir()
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, directory / name)
    (tmp_path / "my tools").mkdir()
    for name in ("sh", "mkdir", "touch", "cp", "ln", "dirname", "chmod"):
        program = shutil.which(name)
        assert program is not None
        (tmp_path / "my tools" / name).symlink_to(program)
    write_program(directory / "bundled uv", UV, EXPORT_STATUS="0", NAME="bundled uv")
    return directory


def write_program(path: Path, text: str, **values: str) -> None:
    for name, value in values.items():
        text = text.replace(name, value)
    path.write_text(text)
    path.chmod(0o755)


def make(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    tools = project.parent / "my tools"
    return subprocess.run(
        (shutil.which("make") or "make", *arguments),
        cwd=project,
        env={"PATH": str(tools), "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_chat_reports_the_installation_and_runs_the_client_without_uv_afterwards(project: Path) -> None:
    write_program(project.parent / "my tools" / "uv", UV, EXPORT_STATUS="0", NAME="uv on PATH")
    first = make(project, "chat", "ARGS=--port 0")
    assert (first.returncode, first.stderr) == (0, "uv on PATH: sync --no-dev --inexact\n")
    assert first.stdout == "installing the dependencies into .venv\nchat-tui --serve --port 0\n"
    (project.parent / "my tools" / "uv").unlink()
    write_program(project.parent / "my tools" / "python3", PYTHON, VENV_STATUS="0")
    (project / ".uv/bin/uv").unlink()
    write_program(project / ".uv/bin/uv", "#!/bin/sh\nexit 9\n")
    second = make(project, "chat")
    assert (second.returncode, second.stdout, second.stderr) == (0, "chat-tui --serve\n", "")


@pytest.mark.parametrize("has_unsuitable_uv", [False, True])
def test_an_unsuitable_or_missing_uv_is_replaced_by_a_copy(project: Path, has_unsuitable_uv: bool) -> None:
    tools = project.parent / "my tools"
    if has_unsuitable_uv:
        write_program(tools / "uv", UV, EXPORT_STATUS="2", NAME="uv on PATH")
    write_program(tools / "python3", PYTHON, VENV_STATUS="0")
    result = make(project, "chat")
    assert (result.returncode, result.stderr) == (0, "bundled uv: sync --no-dev --inexact\n")
    assert result.stdout.splitlines()[0] == "installing uv into .uv"


def test_a_python_without_venv_is_reported_in_one_line(project: Path) -> None:
    write_program(project.parent / "my tools" / "python3", PYTHON, VENV_STATUS="1")
    result = make(project, "chat")
    assert result.returncode == 2
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make: ***")]
    assert lines == ["python3 cannot create environments: install python3-venv (Debian, Ubuntu) or uv"]
    assert result.stdout == ""


@pytest.mark.timeout(240)  # requests to the package index
def test_make_installs_and_runs_both_programs_with_uv(project: Path, home: Path) -> None:
    for name in ("server", "tui_chat", "README.md"):
        (project / name).symlink_to(ROOT / name)
    settings = (ROOT / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(settings.replace("compile-bytecode = true", "compile-bytecode = false"))
    uv = Path(require_uv())
    cache = subprocess.run([uv, "cache", "dir"], check=True, capture_output=True, text=True).stdout.strip()
    env = program_environment(home, UV_CACHE_DIR=cache, UV_LINK_MODE="symlink")
    env["PATH"] = f"{uv.parent}:{env['PATH']}"
    for target, program in (("chat", "chat-tui"), ("server", "chat-server")):
        command = ("make", "--silent", target, "ARGS=--version")
        result = subprocess.run(command, cwd=project, env=env, check=True, capture_output=True, text=True)
        assert result.stdout.splitlines()[-1] == f"{program} {version('tui-chat')}"
    (packages,) = project.glob(".venv/lib/*/site-packages")
    assert (packages / "textual").is_dir()
    shutil.rmtree(project / ".venv")
