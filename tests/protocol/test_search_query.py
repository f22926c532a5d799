"""What a search finds (docs/protocol.md, "Searching")."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
def test_it_is_found(query: str, text: str) -> None:
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
def test_it_is_not_found(query: str, text: str) -> None:
    assert not SearchQuery(query).matches(text)


@given(queries, texts)
def test_it_is_what_the_plain_rule_says(query: str, text: str) -> None:
    assert SearchQuery(query).matches(text) == matches(query, text)


@given(queries, texts)
def test_the_index_has_every_number_of_what_is_found(query: str, text: str) -> None:
    wanted = SearchQuery(query)
    if wanted.matches(text):
        assert wanted.term_hashes <= hash_terms(text)


@given(queries, texts)
def test_places_are_apart_ascending_and_in_the_text(query: str, text: str) -> None:
    places = SearchQuery(query).find_spans(text)
    edges = [edge for place in places for edge in place]
    assert edges == sorted(edges)
    assert all(0 <= start < end <= len(text) for start, end in places)


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("hello", "oh Hello, hello", ["Hello", "hello"]),
        ("strasse", "die Straße hier", ["Straße"]),
        ("中国", "在中国的中国人", ["中国", "中国"]),
        ("café", "un cafe\u0301 noir", ["cafe\u0301"]),
        ("ab abc", "abc", ["abc"]),
    ],
)
def test_places_are_where_the_terms_stand(query: str, text: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in SearchQuery(query).find_spans(text)] == marked


def test_a_query_of_many_words_is_looked_up_by_some_and_compared_with_all() -> None:
    words = [f"word{number}x" for number in range(40)]
    query = SearchQuery(" ".join(words))
    assert query.matches(" ".join(reversed(words)))
    assert not query.matches(" ".join(words[:-1]))
