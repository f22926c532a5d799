"""Limits of size and coupling (docs/architecture.md), and names of loggers."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.source_files import ROOT, ClassSummary, PythonSource, read_python, source_files

MAX_METHODS = 40
"""Maximum number of methods over a class and its own bases."""
MAX_LINES = 400
"""Maximum length of a module, in lines."""


@cache
def modules() -> dict[Path, PythonSource]:
    files = {file: file.relative_to(ROOT) for file in source_files(".py")}
    return {path: read_python(file) for file, path in files.items() if path.parts[0] in ("server", "tui_chat")}


@cache
def classes() -> dict[str, ClassSummary]:
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
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_loggers_are_named_log_and_have_a_name_of_the_project() -> None:
    loggers = {
        match
        for path in modules()
        for match in re.findall(r"^(\w+) = logging\.getLogger\((.+)\)$", (ROOT / path).read_text(), re.MULTILINE)
    }
    assert len(loggers) > 10
    assert [name for variable, name in loggers if variable not in ("log", "library_log") or '"chat.' not in name] == []
