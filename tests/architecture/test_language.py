"""Rules of CONTRIBUTING.md, "Language": openings of texts, class names and vocabulary of identifiers."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.source_files import ROOT, read_python, source_files

RULES = 'see CONTRIBUTING.md, "Language"'

OPENING = re.compile(
    r"(?:what|who|whoever|whom|whose|whatever|how|where|when|which|those|somebody|something|everything|everybody"
    r"|nobody|nothing|whether)\b|the ones? (?:that|who|which)\b"
    r"|(?:describes|represents|says|tells) (?:what|who|how|where|when|which|whether)\b",
    re.IGNORECASE,
)
"""Openings that put a clause in the place of a noun or a verb."""

TEST_NAME = re.compile(
    r"test_(?:what|who|whoever|whom|whose|how|where|when|which|those|somebody|something|everything|everybody"
    r"|nobody|nothing|whether)_"
)

FORBIDDEN_WORDS = frozenset(
    """
    anew announcer anybody bare came chatrooms comes comings contender contenders crowded doubtful everybody
    gone heard hush hushed kept lobby mine nobody occupant outgoing overheard owe owed owes owing picked picking
    posting postings said says shelf shrugged somebody stands surroundings tally theirs told typist typists
    unsaid untaken untold went whatever whoever wish yours
    """.split()  # noqa: SIM905 a word list reads better than 50 quoted strings
)
"""Words of the former vocabulary; no identifier contains one of them."""

FORBIDDEN_PHRASES = re.compile(
    r"(?:^|_)(?:carry_out|on_the_way|take_over|let_go|go_on|goes_on|work_off|worked_off|kept_writing|come_via|hold_nick"
    r"|take_turn|clear_away|made_anew)(?:_|$)"
)
"""Phrases of the former vocabulary; no identifier contains one of them."""

STRING_OR_COMMENT = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|' r"'''(?:[^\\]|\\.)*?'''|" r'"(?:[^"\\\n]|\\.)*"|' r"'(?:[^'\\\n]|\\.)*'|#([^\n]*)",
    re.DOTALL,
)
"""String literal of Python, or comment with its text as group; a dozen times faster than `tokenize`."""


def hash_comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each comment in a Python source; of a block of full-line comments, only the first line."""
    previous = -1  # line of the last full-line comment
    for found in STRING_OR_COMMENT.finditer(text):
        if found[1] is None:
            continue
        line = text.count("\n", 0, found.start()) + 1
        is_full_line = not text[text.rfind("\n", 0, found.start()) + 1 : found.start()].strip()
        if not is_full_line or line != previous + 1:
            yield line, found[1].lstrip("#! ")
        if is_full_line:
            previous = line


def slash_comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each comment in a JavaScript or CSS source; of a block, only the first line."""
    previous = -1  # line of the last full-line comment
    for found in re.finditer(r"/\*+(.*?)\*/|(?:^|(?<=\s))//([^\n]*)", text, re.DOTALL):
        line = text.count("\n", 0, found.end()) + 1
        is_full_line = found[1] is None and not text[text.rfind("\n", 0, found.start()) + 1 : found.start()].strip()
        if not is_full_line or line != previous + 1:
            yield line, re.sub(r"^[\s*]+", "", found[1] or found[2] or "")
        if is_full_line:
            previous = line


def toml_comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each comment of a TOML file."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.search(r"(?:^|\s)#\s*(.*)", line):
            yield number, found[1]


def headings(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each heading of a Markdown page, outside code blocks."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fenced ^= line.startswith("```")
        if not fenced and (found := re.match(r"#+\s+(.*)", line)):
            yield number, found[1]


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each docstring, comment or heading of a file."""
    text = file.read_text(encoding="utf-8")
    match file.suffix:
        case ".py":
            yield from read_python(file).docstrings
            yield from hash_comments(text)
        case ".toml":
            yield from toml_comments(text)
        case ".md":
            yield from headings(text)
        case _:
            yield from slash_comments(text)


def identifiers(file: Path) -> Iterator[str]:
    """Yield each name that a Python or JavaScript source defines."""
    if file.suffix == ".py":
        yield from read_python(file).definitions
    else:
        text = file.read_text(encoding="utf-8")
        yield from re.findall(r"\b(?:function|class|const|let)\s+([A-Za-z_$][\w$]*)", text)
        yield from re.findall(r"(?m)^\s+(?:static\s+|async\s+)*(#?[a-z]\w+)\s*\([^)]*\)\s*\{", text)


@cache
def to_snake_case(name: str) -> str:
    """Return `name` in snake case: `takeOver` and `TakeOver` become `take_over`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).strip("_#").lower()


DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def test_all_comments_are_checked_except_continuation_lines() -> None:
    python = "# first\n# block\na = 1  # trailing\nb = 2  # second\n# full\n# block\n"
    assert [text for _, text in hash_comments(python)] == ["first", "trailing", "second", "full"]
    strings = "a = '#', \"\\\"#\", r'\\\\' # first\n'''#\n'#''' # second\n"
    assert [text for _, text in hash_comments(strings)] == ["first", "second"]
    javascript = "// first\n// block\nf(); // trailing\ng(); // second\n  // full\n  // block\n/* c */ // d\n"
    assert [text.strip() for _, text in slash_comments(javascript)] == ["first", "trailing", "second", "full", "c", "d"]


@pytest.mark.parametrize(
    "files",
    [
        source_files(".py"),
        source_files(".js", ".mjs"),
        source_files(".css", ".tcss"),
        [ROOT / "pyproject.toml"],
        DOCUMENTS,
    ],
    ids=["python", "javascript", "css", "toml", "markdown"],
)
def test_texts_open_with_a_noun_or_a_verb(files: list[Path]) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}: {text.strip().splitlines()[0][:80]}"
        for file in files
        for line, text in prose(file)
        if OPENING.match(text.strip())
    ]
    assert found == [], RULES


def test_names_of_tests_open_with_a_noun_or_a_verb() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in source_files(".py")
        for name in identifiers(file)
        if TEST_NAME.match(name)
    ]
    for file in source_files(".mjs"):
        titles = re.findall(r"\b(?:test|it|describe)\(\s*[\"'`]([^\"'`]+)", file.read_text(encoding="utf-8"))
        found += [f"{file.relative_to(ROOT)}: {title}" for title in titles if OPENING.match(title)]
    assert found == [], RULES


@pytest.mark.parametrize("suffix", [".py", ".js"])
def test_each_class_name_exists_once(suffix: str) -> None:
    names: Counter[str] = Counter()
    for file in source_files(suffix):
        if file.relative_to(ROOT).parts[0] in ("server", "tui_chat"):
            text = file.read_text(encoding="utf-8")
            names.update(re.findall(r"(?m)^\s*(?:export\s+)?(?:default\s+)?class\s+(\w+)", text))
    assert [name for name, count in names.items() if count > 1] == [], RULES


def test_identifiers_contain_no_forbidden_words_or_phrases() -> None:
    found = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in source_files(".py", ".js", ".mjs")
        for name in identifiers(file)
        if FORBIDDEN_WORDS & set(to_snake_case(name).split("_")) or FORBIDDEN_PHRASES.search(to_snake_case(name))
    }
    assert sorted(found) == [], RULES
