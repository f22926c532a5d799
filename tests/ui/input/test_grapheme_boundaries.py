from itertools import accumulate

from hypothesis import given, strategies as st
from wcwidth import iter_graphemes

from tui_chat.ui.input.grapheme_boundaries import cluster_end, cluster_start, next_boundary

TEXTS = st.text(st.characters() | st.sampled_from("ae\u0301\u200d\u200c\ufe0f👨👩🏽🇩🇪क्षی\r\n각ᄀ"))


@given(TEXTS)
def test_boundaries_match_the_clusters_of_the_text(text: str) -> None:
    boundaries = [0, *accumulate(map(len, iter_graphemes(text)))]
    for index in range(len(text) + 1):
        assert cluster_start(text, index) == max(boundary for boundary in boundaries if boundary <= index)
        assert cluster_end(text, index) == min(boundary for boundary in boundaries if boundary >= index)
        assert next_boundary(text, index) == min((b for b in boundaries if b > index), default=len(text))
