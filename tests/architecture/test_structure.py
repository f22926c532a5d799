"""Limits of size and coupling (docs/architecture.md)."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_METHODS = 40
"""Maximum number of methods over a class and its own bases."""
MAX_LINES = 400
"""Maximum length of a module, in lines."""


@cache
def modules() -> dict[Path, ast.Module]:
    return {
        path: ast.parse(path.read_text())
        for package in ("server", "tui_chat")
        for path in sorted((ROOT / package).rglob("*.py"))
    }


@cache
def classes() -> dict[str, ast.ClassDef]:
    return {node.name: node for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def base_names(node: ast.ClassDef) -> Iterator[str]:
    """Yield the names of a class and its bases, recursively through the classes of the project."""
    yield node.name
    for base in node.bases:
        name = ast.unparse(base.value if isinstance(base, ast.Subscript) else base)
        if name in classes():
            yield from base_names(classes()[name])
        else:
            yield name.rpartition(".")[2]


def methods(node: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [member for member in node.body if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_a_class_and_its_own_bases_have_at_most_forty_methods() -> None:
    counts = {
        name: sum(len(methods(classes()[base])) for base in base_names(node) if base in classes())
        for name, node in classes().items()
    }
    assert {name: count for name, count in counts.items() if count > MAX_METHODS} == {}


def test_no_method_is_a_stub_for_a_subclass() -> None:
    stubs = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)
    ]
    assert stubs == []


def test_no_constructor_takes_a_screen_or_an_app() -> None:
    owners = {name for name, node in classes().items() if {"Screen", "App", "ModalScreen"} & set(base_names(node))}
    owners |= {"Screen", "App", "ModalScreen"}
    violations = [
        f"{name}({argument.arg})"
        for name, node in classes().items()
        for method in methods(node)
        if method.name == "__init__"
        for argument in (*method.args.args, *method.args.kwonlyargs)
        if argument.annotation is not None and owners & annotation_names(argument.annotation)
    ]
    assert violations == []


def annotation_names(annotation: ast.expr) -> set[str]:
    """Return all identifiers of an annotation, quoted ones included, without the arguments of callables."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation_names(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Callable":
        return set()
    names = {annotation.id} if isinstance(annotation, ast.Name) else set[str]()
    children = (child for child in ast.iter_child_nodes(annotation) if isinstance(child, ast.expr))
    return names.union(*map(annotation_names, children))


def test_no_module_is_longer_than_the_limit() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules()}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}
