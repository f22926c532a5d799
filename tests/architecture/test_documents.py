"""References of the documents: paths, modules, identifiers and links."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.test_language import DOCUMENTS, headings, identifiers
from tests.support.source_files import ROOT, read_python, source_files

PACKAGES = ("server", "server/web/static", "tui_chat", "tui_chat/session", "tui_chat/ui")
BASES = (ROOT, *(ROOT / package for package in PACKAGES))
"""Directories that a path in a document may start from."""
ARCHITECTURE = ROOT / "docs" / "architecture.md"
CURRENT_DOCUMENTS = [file for file in DOCUMENTS if file.name != "CHANGELOG.md"]
MAX_DIAGRAM_WIDTH = 100
"""Maximum width of a diagram, in columns."""

SOURCE_SUFFIXES = (".py", ".js", ".mjs", ".css", ".tcss", ".po")
INLINE_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
MODULE = re.compile(r"\b(?:server|tui_chat|benchmarks|tools|tests)(?:\.(?!toml\b)[a-z_]\w*)+")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
COMMENT = re.compile(r"/\*.*?\*/|<!--.*?-->|(?:^|(?<=\s))(?://|#).*?$", re.DOTALL | re.MULTILINE)
"""Comments of JavaScript, CSS, HTML and TOML."""


@cache
def first_components() -> frozenset[str]:
    """Return the names of the directories that paths of the project start with."""
    return frozenset(child.name for base in BASES for child in base.iterdir() if child.is_dir())


def exists(path: str) -> bool:
    """Return whether a path, with or without `.py`, exists below one of `BASES`."""
    stem = path.rstrip("/")
    return any((base / stem).exists() or (base / f"{stem}.py").exists() for base in BASES)


def module_exists(name: str) -> bool:
    """Return whether a dotted name is a module, or a name that an existing module defines."""
    module, _, attribute = name.rpartition(".")
    file = ROOT / f"{module.replace('.', '/')}.py"
    return exists(name.replace(".", "/")) or (file.exists() and attribute in identifiers(file))


def code_spans(text: str) -> Iterator[str]:
    """Yield the content of each inline code span outside code blocks."""
    for part in text.split("```")[::2]:
        yield from INLINE_CODE.findall(part)


def code_blocks(text: str) -> list[str]:
    """Return the content of each code block, with its language."""
    return text.split("```")[1::2]


def anchors(file: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub forms them."""
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for _, title in headings(file.read_text(encoding="utf-8")))
    return {title.replace(" ", "-") for title in plain}


@pytest.mark.parametrize("file", CURRENT_DOCUMENTS, ids=lambda file: file.name)
def test_paths_in_documents_exist(file: Path) -> None:
    missing = [
        span
        for span in code_spans(file.read_text(encoding="utf-8"))
        if PATH.fullmatch(span)
        and (span.split("/")[0] in first_components() if "/" in span else span.endswith(SOURCE_SUFFIXES))
        and not (exists(span) if "/" in span else any(path.name == span for path in source_files(*SOURCE_SUFFIXES)))
    ]
    assert missing == []


@pytest.mark.parametrize("file", CURRENT_DOCUMENTS, ids=lambda file: file.name)
def test_modules_in_documents_exist(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    names = [name for span in code_spans(text) for name in MODULE.findall(span)]
    names += re.findall(rf"-m ({MODULE.pattern})", text)
    assert [name for name in names if not module_exists(name)] == []


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_links_between_documents_lead_to_a_file_and_a_heading(file: Path) -> None:
    broken: list[str] = []
    for target in re.findall(r"\]\(([^)\s]+)\)", "".join(file.read_text(encoding="utf-8").split("```")[::2])):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (file.parent / path) if path else file
        if not linked.exists() or (anchor and linked.suffix == ".md" and anchor not in anchors(linked)):
            broken.append(target)
    assert broken == []


def test_modules_in_the_diagrams_of_the_architecture_exist() -> None:
    blocks = code_blocks(ARCHITECTURE.read_text(encoding="utf-8"))
    paths = [
        path for block in blocks for path in re.findall(r"[a-z_]+(?:/[a-z_]+)+/?", block) if not path.startswith("/")
    ]
    assert len(paths) > 20
    assert [path for path in paths if not exists(path)] == []


def test_identifiers_of_the_architecture_exist() -> None:
    other_files = [*source_files(".js", ".mjs", ".css", ".tcss", ".html"), ROOT / "pyproject.toml"]
    code = "".join(COMMENT.sub("", path.read_text(encoding="utf-8")) for path in other_files)
    words = set(IDENTIFIER.findall(code))
    words |= {path.stem for path in source_files(".py", ".js")}
    words |= {name for path in source_files(".py") for name in read_python(path).words}
    present = ARCHITECTURE.read_text(encoding="utf-8").split("\n## Rejected alternatives\n")[0]
    assert sorted({span for span in code_spans(present) if IDENTIFIER.fullmatch(span)} - words) == []


def test_diagrams_of_the_architecture_fit_into_a_terminal() -> None:
    lines = [line for block in code_blocks(ARCHITECTURE.read_text(encoding="utf-8")) for line in block.splitlines()]
    assert [line for line in lines if len(line) > MAX_DIAGRAM_WIDTH] == []


def test_each_change_of_the_architecture_lists_at_most_five_files() -> None:
    changes = ARCHITECTURE.read_text(encoding="utf-8").split("\n## Changes\n")[1].split("\n## ")[0]
    assert re.findall(r"(?m)^[6-9]\. .*", changes) == []
