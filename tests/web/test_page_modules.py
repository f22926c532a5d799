"""The page's pure modules under Node.js, against models."""

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from tests.support.requirements import need_node

pytestmark = pytest.mark.needs_node


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """The page's modules where Node.js takes them for what they are."""
    shutil.copytree(str(files("server.web").joinpath("static")), tmp_path, dirs_exist_ok=True)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def run(script: str, *arguments: str) -> list[dict[str, object]]:
    path = Path(__file__).with_name(script)
    done = subprocess.run([need_node(), str(path), *arguments], capture_output=True, text=True, check=False, timeout=50)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_whatever_the_order_of_arrival_the_log_reads_like_the_rooms(modules: Path) -> None:
    assert run("room_log_model.mjs", str(modules), "1", "400") == [{"seeds": 400, "failed": 0}]


def test_the_pure_modules_keep_their_cases(modules: Path) -> None:
    assert run("module_cases.mjs", str(modules)) == [{"cases": 23, "failed": 0}]


def test_every_text_and_nickname_can_be_read_on_every_ground(modules: Path) -> None:
    [report] = run("contrast.mjs", str(modules))
    assert report["hues"] == 24
    assert report["poor"] == []
    assert float(str(report["least"])) >= 4.5
