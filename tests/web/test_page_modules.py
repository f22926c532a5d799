"""Unit and model-based tests of the page's pure modules, run with Node.js."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from server.web.bundle import bundle_modules
from tests.support.page_modules import copy_page_modules
from tests.support.requirements import require_node
from tui_chat.protocol.error_reasons import WIRE_MESSAGES

pytestmark = pytest.mark.needs_node


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """Directory with the modules of the page."""
    return copy_page_modules(tmp_path)


def run_script(script: str, *arguments: str) -> list[dict[str, object]]:
    """Run a script of this directory in Node.js; return the objects of its output lines."""
    path = Path(__file__).with_name(script)
    result = subprocess.run(
        [require_node(), str(path), *arguments], capture_output=True, text=True, check=False, timeout=50
    )
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_room_log_converges_for_any_delivery_order(modules: Path) -> None:
    assert run_script("room_log_model.mjs", str(modules), "1", "400") == [{"seeds": 400, "failed": 0}]


def test_module_cases_pass(modules: Path) -> None:
    assert run_script("module_cases.mjs", str(modules)) == [{"cases": 42, "failed": 0}]


def test_read_marker_cases_pass(modules: Path) -> None:
    assert run_script("read_marker_cases.mjs", str(modules)) == [{"cases": 9, "failed": 0}]


def test_text_contrast_meets_wcag_aa(modules: Path) -> None:
    [report] = run_script("contrast.mjs", str(modules))
    assert report["hues"] == 24
    assert report["tooLow"] == []
    assert float(str(report["minimum"])) >= 4.5


def test_the_script_of_the_page_has_the_code_of_all_modules_without_conflicts(modules: Path, tmp_path: Path) -> None:
    names = [path.relative_to(modules).as_posix() for path in modules.rglob("*.js")]
    texts = {name: (modules / name).read_text() for name in names}
    script, source_map, contained = bundle_modules(texts, "app.js")
    paths = [tmp_path / "script.mjs", tmp_path / "script.map"]
    for path, text in zip(paths, (script, source_map), strict=True):
        path.write_text(text)
    assert {name for name in names if not name.startswith("vendor/")} - set(contained) == {"load_error.js"}
    [report] = run_script("bundle_check.mjs", str(modules), *map(str, paths))
    assert int(str(report.pop("names"))) > 500
    assert report == {
        "modules": len(contained),
        "isEqual": True,
        "repeatedNames": [],
        "hiddenGlobals": [],
        "knownGlobals": ["confirm", "structuredClone", "Map"],
        "unmappedLines": [],
    }


def test_the_page_translates_existing_reasons_with_their_parameters() -> None:
    catalogue = (Path(__file__).parents[2] / "server/web/static/i18n/en.js").read_text()
    reasons = re.findall(r"^    (\w+): \((?:\{ (.*) \})?\) =>", catalogue.split("  reasons: {")[1], re.MULTILINE)
    assert len(reasons) > 10
    for reason, params in reasons:
        assert set(params.split(", ")) - {""} == set(re.findall(r"\{(\w+)\}", WIRE_MESSAGES[reason])), reason
