"""Candidate names of mentions, compared with the lookup of one name."""

import pytest
from hypothesis import given, strategies as st

from tui_chat.protocol.mentions import MentionTokens
from tui_chat.protocol.names import canonical_key

MAX_LENGTH = 64


@given(st.text("@:aA .小`_-", max_size=12), st.text("aA .小_-:", min_size=1, max_size=4))
def test_candidates_are_the_names_that_the_text_mentions(text: str, name: str) -> None:
    tokens = MentionTokens(text)
    candidates = {key for keys in tokens.iterate_candidates(MAX_LENGTH) for key in keys}
    if name.strip():
        assert (canonical_key(name) in candidates) == tokens.includes(name)


@given(st.text("@a b", max_size=12))
def test_candidates_of_a_mention_are_ordered_by_length(text: str) -> None:
    for keys in MentionTokens(text).iterate_candidates(3):
        assert [*map(len, keys)] == sorted({len(key) for key in keys}, reverse=True)
        assert all(len(key) <= 3 for key in keys)


@pytest.mark.parametrize("mark", ["@", "\ufe6b", "\uff20"])
def test_every_form_of_the_mark_starts_a_mention(mark: str) -> None:
    assert [*MentionTokens(f"{mark}ann").iterate_candidates(MAX_LENGTH)] == [["ann"]]
