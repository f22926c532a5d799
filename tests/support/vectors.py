"""Access to the shared test vectors in `tests/vectors`."""

import json
from pathlib import Path
from typing import Any

import pytest

VECTORS_DIRECTORY = Path(__file__).parents[1] / "vectors"


def load_vectors(name: str) -> dict[str, Any]:
    """Return the content of a vector file; `cases` is a list of objects with a unique `name`."""
    return json.loads((VECTORS_DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))


def vector_cases(name: str, field: str = "name") -> pytest.MarkDecorator:
    """Return the parametrization of a test by the cases of a vector file that have a field, by default all cases."""
    cases = [case for case in load_vectors(name)["cases"] if field in case]
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases])


def vector_names() -> list[str]:
    """Return the names of all vector files, sorted."""
    return sorted(file.stem for file in VECTORS_DIRECTORY.glob("*.json"))


def expand(text: str | dict[str, Any]) -> str:
    """Return a text of a vector, which may be stated as a repetition with prefix and suffix."""
    if isinstance(text, str):
        return text
    return text.get("prefix", "") + text["repeat"] * text["times"] + text.get("suffix", "")
