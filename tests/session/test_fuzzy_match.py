from itertools import combinations

from hypothesis import given, settings, strategies as st

from tui_chat.session.fuzzy_match import match


def test_a_letter_with_several_folded_letters_has_one_index() -> None:
    assert match("strasse", "straße")[1] == (0, 1, 2, 3, 4, 5)
    assert match("e", "straße")[1] == (5,)


@settings(deadline=None)  # duration depends on the machine load
@given(st.text("abc -", max_size=9), st.text("abc", min_size=1, max_size=4))
def test_a_match_is_any_subsequence_and_returns_its_positions(name: str, query: str) -> None:
    _, matched = match(query, name)
    possible = any(
        "".join(name[index] for index in positions) == query for positions in combinations(range(len(name)), len(query))
    )
    assert (matched is not None) is possible
    if matched is not None:
        assert "".join(name[index] for index in matched) == query
        assert list(matched) == sorted(set(matched))


def test_ambiguous_names_are_matched_without_exponential_backtracking() -> None:
    # Exponential backtracking would exceed the timeout of the test.
    assert match("ab" * 16, "ab" * 32)[1] is not None
    assert match("ab" * 16 + "x", "ab" * 32)[1] is None
