"""Matching rules of search queries (docs/protocol.md, "Search")."""

import pytest
from hypothesis import given, strategies as st

from tests.support.naive_search import matches
from tui_chat.protocol.search_query import SearchQuery, hash_terms

LATIN = ["a", "ab", "abc", "abcdef", "é", "ß", "SS", "ＡＢ", "İ", "ﬁ", "Ω", "1"]
SPACELESS = ["中", "国", "中国人", "ｶﾞ", "ガ", "한국", "ไทย"]
PIECES = [*LATIN, *SPACELESS, "🎉", "👍🏽", "-", "_", ".", " ", "\n", "。"]
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=12)
queries = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join) | st.text(max_size=4)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("hello", "Hello, world"),
        ("world hello", "hello world"),
        ("dep", "we deployed it"),
        ("he", "he said"),
        ("中", "我爱中国"),
        ("国人", "中国人民"),
        ("ﾃｽﾄ", "テスト中"),
        ("STRASSE", "Hauptstr. oder straße"),
        ("foo-bar", "the foo-barbaz"),
        ("bar", "foo_bar"),
        (":-)", "well :-)"),
        ("🎉", "done🎉!"),
        ("v2.1", "release v2.1 is out"),
    ],
)
def test_a_query_matches_words_and_prefixes(query: str, text: str) -> None:
    assert SearchQuery(query).matches(text)
    assert SearchQuery(query).term_hashes <= hash_terms(text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("ello", "hello"),
        ("he", "hello"),
        ("国中", "中国"),
        ("hello moon", "hello world"),
        ("foo bar", "foo"),
        ("", "anything"),
        ("   ", "anything"),
    ],
)
def test_inner_substrings_short_prefixes_missing_terms_and_empty_queries_do_not_match(query: str, text: str) -> None:
    assert not SearchQuery(query).matches(text)


@given(queries, texts)
def test_matches_equals_the_naive_implementation(query: str, text: str) -> None:
    assert SearchQuery(query).matches(text) == matches(query, text)


@given(queries, texts)
def test_term_hashes_of_a_match_are_in_the_text_hashes(query: str, text: str) -> None:
    search_query = SearchQuery(query)
    if search_query.matches(text):
        assert search_query.term_hashes <= hash_terms(text)


@given(queries, texts)
def test_spans_are_ascending_disjoint_and_within_the_text(query: str, text: str) -> None:
    spans = SearchQuery(query).find_spans(text)
    offsets = [offset for span in spans for offset in span]
    assert offsets == sorted(offsets)
    assert all(0 <= start < end <= len(text) for start, end in spans)


def test_a_query_of_many_words_requires_all_of_them() -> None:
    words = [f"word{number}x" for number in range(40)]
    query = SearchQuery(" ".join(words))
    assert query.matches(" ".join(reversed(words)))
    assert not query.matches(" ".join(words[:-1]))
