"""docs/guarantees.md names the test of each promise; each of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`((?:tests|benchmarks)/[\w/.]+\.py(?:::\w+)?)`", PAGE))))
def test_a_test_that_the_page_names_is_there(named: str) -> None:
    file, _, test = named.partition("::")
    assert f"def {test}" in (ROOT / file).read_text()


def test_a_test_that_the_page_names_without_its_file_is_there() -> None:
    tests = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_what_readiness_is_said_to_answer_is_what_it_is_tested_to_answer() -> None:
    told = set(re.findall(r"503[^,|]*, `([^`]+)`", PAGE)) - {"no response from the disk for 3 seconds"}
    tested = (ROOT / "tests/faults/test_storage_outages.py").read_text()
    assert {reason for reason in told if reason not in tested} == set()
    assert len(told) == 6
