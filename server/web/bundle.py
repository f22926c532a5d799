"""Concatenation of the modules and style sheets of the page, so that a first visit needs few requests.

- Modules: all modules share one scope in the order of their evaluation, without imports and exports. Modules below
  `vendor/` stay separate files.
- Requirements: top-level names of the modules are unique and hide no global of the browser; an import is one line with
  the names of its declarations; only declarations are exported. `tests/web/test_page_modules.py` checks the result.
- Output: comments on separate lines and empty lines are omitted. A source map contains the modules, for the developer
  tools of browsers.
"""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping

_VENDOR = "vendor/"
_MODULE_IMPORT = re.compile(r'^import \{ [^}]+ \} from "([^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*(?:(?!\*/)[\s\S])*\*/)[ \t]*$", re.MULTILINE)
_STYLE_IMPORT = re.compile(r'^@import "([^"]+)";\n', re.MULTILINE)
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def bundle_modules(files: Mapping[str, str], entry: str) -> tuple[str, str, list[str]]:
    """Return the script of a module and all its imports, its source map, and the modules in the order of evaluation.

    Modules below `vendor/` stay imports, relative to the root of `files`.

    Args:
        files: Texts of the modules by path.
        entry: Path of the module; the script refers to a source map with this name and the suffix `.map`.

    Raises:
        KeyError: The module, or one that it imports, does not exist.
    """
    names = list(_list_modules(files, entry, set()))
    lines: list[str] = []
    positions: list[tuple[int, int]] = []  # index of the module and line, by line of the script
    for index, name in enumerate(names):
        for number, line in _read_code(name, files[name]):
            lines.append(line)
            positions.append((index, number))
    source_map = {
        "version": 3,
        "sources": names,
        "sourcesContent": [files[name] for name in names],
        "names": [],
        "mappings": _encode_mappings(positions),
    }
    script = "\n".join([*lines, f"//# sourceMappingURL={posixpath.basename(entry)}.map", ""])
    return script, json.dumps(source_map, ensure_ascii=False), names


def bundle_styles(files: Mapping[str, str], entry: str) -> tuple[str, list[str]]:
    """Return a style sheet with the contents of its imports, keys of `files`, and the names of these imports.

    Imports within an imported style sheet stay.

    Raises:
        KeyError: The style sheet, or one that it imports, does not exist.
    """
    return _STYLE_IMPORT.sub(lambda match: files[match[1]], files[entry]), _STYLE_IMPORT.findall(files[entry])


def _list_modules(files: Mapping[str, str], name: str, visited: set[str]) -> Iterator[str]:
    """Yield the modules that a module imports, and the module itself, in the order of their evaluation.

    Modules below `vendor/` and those in `visited` are omitted; yielded ones are added to `visited`.
    """
    if name in visited:
        return
    visited.add(name)
    for reference in _MODULE_IMPORT.findall(files[name]):
        target = _resolve(name, reference)
        if not target.startswith(_VENDOR):
            yield from _list_modules(files, target, visited)
    yield name


def _resolve(name: str, reference: str) -> str:
    """Return the path of the module to which an import in the module `name` refers."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), reference))


def _read_code(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a module for the common scope, with their numbers in the module, from 0.

    Empty lines, comments on lines of their own, imports of contained modules and the words `export` are omitted.
    """

    def rewrite_import(match: re.Match[str]) -> str:
        target = _resolve(name, match[1])
        return match[0].replace(match[1], f"./{target}") if target.startswith(_VENDOR) else "\n"

    def keep_line_breaks(match: re.Match[str]) -> str:
        return "\n" * match[0].count("\n")

    code = _EXPORT.sub("", _MODULE_IMPORT.sub(rewrite_import, _COMMENT.sub(keep_line_breaks, text)))
    return ((number, line) for number, line in enumerate(code.split("\n")) if line.strip())


def _encode_mappings(positions: list[tuple[int, int]]) -> str:
    """Return the field `mappings` of a source map (ECMA-426, section 8), with one mapping per line."""
    mappings: list[str] = []
    previous = (0, 0)
    for position in positions:
        steps = (0, position[0] - previous[0], position[1] - previous[1], 0)
        mappings.append("".join(map(_encode_vlq, steps)))
        previous = position
    return ";".join(mappings)


def _encode_vlq(value: int) -> str:
    """Return a number as Base64 VLQ (ECMA-426, section 6)."""
    rest = -value << 1 | 1 if value < 0 else value << 1
    digits = ""
    while rest > 31:
        digits += _BASE64[rest & 31 | 32]
        rest >>= 5
    return digits + _BASE64[rest]
