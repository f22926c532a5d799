"""Limits of size and coupling (docs/architecture.md), and names of loggers."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.source_files import ROOT, ClassSummary, PythonSource, read_python, source_files

MAX_METHODS = 40
"""Maximum number of methods over a class and its own bases."""
MAX_LINES = 400
"""Maximum length of a module, in lines."""

PAGE_DIRECTORY = ROOT / "server/web/static"


@cache
def modules() -> dict[Path, PythonSource]:
    """Return the modules of both programs by path."""
    files = {file: file.relative_to(ROOT) for file in source_files(".py")}
    return {path: read_python(file) for file, path in files.items() if path.parts[0] in ("server", "tui_chat")}


@cache
def page_modules() -> dict[str, str]:
    """Return the texts of the modules of the page by name."""
    files = [file for file in source_files(".js") if file.is_relative_to(PAGE_DIRECTORY)]
    return {file.relative_to(PAGE_DIRECTORY).as_posix(): file.read_text(encoding="utf-8") for file in files}


@cache
def classes() -> dict[str, ClassSummary]:
    """Return the classes of both programs by name."""
    return {summary.name: summary for source in modules().values() for summary in source.classes}


def base_names(summary: ClassSummary) -> Iterator[str]:
    """Yield the names of a class and its bases, recursively through the classes of the project."""
    yield summary.name
    for name in summary.bases:
        if name in classes():
            yield from base_names(classes()[name])
        else:
            yield name.rpartition(".")[2]


def test_a_class_and_its_own_bases_have_at_most_forty_methods() -> None:
    counts = {
        name: sum(classes()[base].method_count for base in base_names(summary) if base in classes())
        for name, summary in classes().items()
    }
    assert len(counts) > 100
    assert {name: count for name, count in counts.items() if count > MAX_METHODS} == {}


def test_no_method_is_a_stub_for_a_subclass() -> None:
    assert [f"{path}:{line}" for path, source in modules().items() for line in source.stub_lines] == []


def test_no_constructor_takes_a_screen_or_an_app() -> None:
    owners = {
        name for name, summary in classes().items() if {"Screen", "App", "ModalScreen"} & set(base_names(summary))
    }
    owners |= {"Screen", "App", "ModalScreen"}
    violations = [
        f"{name}({parameter})"
        for name, summary in classes().items()
        for parameter, annotation_names in summary.parameters
        if owners & annotation_names
    ]
    assert violations == []


def test_no_module_is_longer_than_the_limit() -> None:
    lengths = {str(path): source.line_count for path, source in modules().items()}
    lengths |= {name: text.count("\n") for name, text in page_modules().items() if not name.startswith("i18n/")}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_modules_of_the_page_have_unique_names_and_imports_of_one_line() -> None:
    # The modules share one scope in the script of the page (server/web/bundle.py).
    declaration = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
    counts = Counter(name for text in page_modules().values() for name in declaration.findall(text))
    assert len(counts) > 500
    assert [name for name, count in counts.items() if count > 1] == []
    statement = re.compile(r'^import (?!\{ \w+(?:, \w+)* \} from "[^"]+";$).*', re.MULTILINE)
    assert {name: found for name, text in page_modules().items() if (found := statement.findall(text))} == {}


def test_loggers_are_named_log_and_have_a_name_of_the_project() -> None:
    loggers = {
        match
        for path in modules()
        for match in re.findall(r"^(\w+) = logging\.getLogger\((.+)\)$", (ROOT / path).read_text(), re.MULTILINE)
    }
    assert len(loggers) > 10
    assert [name for variable, name in loggers if variable not in ("log", "library_log") or '"chat.' not in name] == []
