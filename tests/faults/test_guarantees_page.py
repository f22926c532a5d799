"""References from docs/guarantees.md to tests, and its list of readiness reasons."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()


@pytest.mark.parametrize("reference", sorted(set(re.findall(r"`((?:tests|benchmarks)/[\w/.]+\.py(?:::\w+)?)`", PAGE))))
def test_referenced_test_files_and_functions_exist(reference: str) -> None:
    file, _, test = reference.partition("::")
    text = (ROOT / file).read_text()
    assert not test or f"def {test}(" in text


def test_referenced_test_functions_exist() -> None:
    tests = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    referenced = set(re.findall(r"`(test_\w+)`", PAGE))
    assert referenced
    assert {name for name in referenced if f"def {name}(" not in tests} == set()


def test_documented_readiness_reasons_are_tested() -> None:
    reasons = re.findall(r"503[^,|]*, `([^`]+)`", PAGE)
    documented = {re.sub(r" for \d+ seconds", "", reason) for reason in reasons}
    tested = (ROOT / "tests/faults/test_storage_outages.py").read_text()
    assert {reason for reason in documented if reason not in tested} == set()
    assert len(documented) == 8
