"""Source files of the project, with the facts of one pass over the syntax tree of each Python source.

Only the facts stay in memory: the syntax trees of all sources take hundreds of megabytes.
"""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDERS = ("server", "tui_chat", "tests", "benchmarks", "tools")

_SKIPPED_FOLDERS = {"vendor", "node_modules", "__pycache__"}


class ClassSummary(NamedTuple):
    """Class of a Python source.

    Attributes:
        name: Name without the enclosing scope.
        bases: Expressions of the base classes, without type arguments.
        method_count: Number of methods in the body.
        parameters: Annotated parameters of the constructor, with the identifiers of their annotations.
    """

    name: str
    bases: tuple[str, ...]
    method_count: int
    parameters: tuple[tuple[str, frozenset[str]], ...]


class PythonSource(NamedTuple):
    """Facts of a Python source.

    Attributes:
        definitions: Defined names, in the order of their definitions per nesting level, with repetitions.
        words: Defined and used names and string constants.
        docstrings: Line and text of each docstring, those of attributes included.
        classes: Classes at any nesting level.
        stub_lines: Lines that raise `NotImplementedError`.
        line_count: Number of lines.
    """

    definitions: tuple[str, ...]
    words: frozenset[str]
    docstrings: tuple[tuple[int, str], ...]
    classes: tuple[ClassSummary, ...]
    stub_lines: tuple[int, ...]
    line_count: int


@cache
def _all_files() -> tuple[Path, ...]:
    found: list[Path] = []
    for folder in FOLDERS:
        for directory, folders, names in os.walk(ROOT / folder):
            folders[:] = [name for name in folders if name not in _SKIPPED_FOLDERS]
            found += [Path(directory, name) for name in names]
    return tuple(sorted(found))


def source_files(*suffixes: str) -> list[Path]:
    """Return the files of the project with one of `suffixes`, without vendored ones."""
    return [file for file in _all_files() if file.suffix in suffixes]


@cache
def read_python(file: Path) -> PythonSource:
    """Return the facts of a Python source."""
    text = file.read_text(encoding="utf-8")
    definitions: list[str] = []
    words: set[str] = set()
    docstrings: list[tuple[int, str]] = []
    classes: list[ClassSummary] = []
    stub_lines: list[int] = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                words.add(name)
                if isinstance(node.ctx, ast.Store):
                    definitions.append(name)
            case ast.Constant(value=str(value)):
                words.add(value)
            case ast.arg(arg=name):
                definitions.append(name)
            case ast.alias(name=name):
                words.update(name.split("."))
            case ast.Raise(exc=ast.expr() as raised) if "NotImplementedError" in ast.unparse(raised):
                stub_lines.append(node.lineno)
            case ast.Module():
                docstrings += _read_docstrings(node)
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                definitions.append(name)
                docstrings += _read_docstrings(node)
                if isinstance(node, ast.ClassDef):
                    classes.append(_summarize_class(node))
            case _:
                pass
    return PythonSource(
        tuple(definitions),
        frozenset(words.union(definitions)),
        tuple(docstrings),
        tuple(classes),
        tuple(stub_lines),
        len(text.splitlines()),
    )


def _read_docstrings(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[tuple[int, str]]:
    if text := ast.get_docstring(node):
        yield getattr(node, "lineno", 1), text
    for before, after in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(before, ast.Assign | ast.AnnAssign)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            yield after.lineno, after.value.value


def _summarize_class(node: ast.ClassDef) -> ClassSummary:
    methods = [member for member in node.body if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)]
    return ClassSummary(
        node.name,
        tuple(ast.unparse(base.value if isinstance(base, ast.Subscript) else base) for base in node.bases),
        len(methods),
        tuple(
            (argument.arg, frozenset(_annotation_names(argument.annotation)))
            for method in methods
            if method.name == "__init__"
            for argument in (*method.args.args, *method.args.kwonlyargs)
            if argument.annotation is not None
        ),
    )


def _annotation_names(annotation: ast.expr) -> set[str]:
    """Return all identifiers of an annotation, quoted ones included, without the arguments of callables."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _annotation_names(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Callable":
        return set()
    names = {annotation.id} if isinstance(annotation, ast.Name) else set[str]()
    children = (child for child in ast.iter_child_nodes(annotation) if isinstance(child, ast.expr))
    return names.union(*map(_annotation_names, children))
