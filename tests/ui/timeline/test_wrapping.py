"""Line wrapping and the cells of grapheme clusters."""

import pytest
from hypothesis import example, given, strategies as st
from rich.cells import cell_len
from wcwidth import iter_graphemes

from tui_chat.protocol.sanitize import sanitize_body
from tui_chat.ui.timeline.grapheme_cells import MAX_CLUSTER_CELLS, MAX_COMBINING_MARKS, render_cluster
from tui_chat.ui.timeline.line_renderer import truncate_to_width
from tui_chat.ui.timeline.wrapping import fit_cluster, wrap_text

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
UNUSUAL_TEXTS = [
    *"ab \t\n-/()，。（）“”你好ｗ한글éñ",
    "e\u0301",
    "\u0301",
    "\u200b",
    "\u200d",
    "\xad",
    "\ufe0f",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    FAMILY,
    "👍🏽",
    "🏽",
    "🇨🇳",
    "🇨",
    "🏴\U000e0067\U000e0062\U000e007f",
    "क्षि",
    "\u1100\u1161\u11a8",
    "\u0600",
    "\U000e0001",
    "\uffff",
    "\u3164",
    "﷽",
    "⸻",
    "a" + "\u0301" * 50,
]
TEXTS = (st.text(max_size=120) | st.lists(st.sampled_from(UNUSUAL_TEXTS), max_size=60).map("".join)).map(sanitize_body)
WIDTHS = st.integers(1, 40)


def row_cells(text: str, width: int) -> int:
    column = 0
    for cluster in iter_graphemes(text):
        column += fit_cluster(cluster, column, width)[1]
    return column


@given(TEXTS, WIDTHS)
@example("a" * 3 + " " * 50 + "b", 10)
@example(" " * 50 + "b", 10)
@example("\t\t\t\tb", 5)
@example(FAMILY * 3, 3)
def test_rows_fit_the_width_and_omit_only_blanks_and_line_breaks(text: str, width: int):
    rows = wrap_text(text, width)
    assert rows
    position = 0
    for start, end in rows:
        assert position <= start <= end
        assert not text[position:start].strip()
        assert "\n" not in text[start:end]
        assert row_cells(text[start:end], width) <= width
        position = end
    assert not text[position:].strip()


@given(TEXTS, WIDTHS)
def test_no_row_starts_inside_a_grapheme_cluster(text: str, width: int):
    boundaries = {0}
    position = 0
    for line in text.split("\n"):
        for cluster in iter_graphemes(line):
            boundaries.add(position)
            position += len(cluster)
        boundaries.add(position)
        position += 1
    for start, end in wrap_text(text, width):
        assert start in boundaries
        assert end in boundaries


@given(TEXTS)
def test_rendered_clusters_have_their_reported_width(text: str):
    for cluster in iter_graphemes(text.replace("\n", "").replace("\t", "")):
        rendered, cells = render_cluster(cluster)
        assert cell_len(rendered) == cells <= MAX_CLUSTER_CELLS
        assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in rendered)


def test_words_are_not_split_and_the_blank_between_rows_is_omitted():
    text = "the quick brown fox"
    assert [text[start:end] for start, end in wrap_text(text, 10)] == ["the quick", "brown fox"]


def test_a_word_longer_than_the_row_is_split_at_the_row_end():
    text = "see https://example.org/a/b/c ok"
    assert [text[start:end] for start, end in wrap_text(text, 12)] == ["see", "https://exam", "ple.org/a/b/", "c ok"]


def test_chinese_wraps_between_characters_but_no_row_starts_with_a_comma():
    text = "我们先把数据库，迁移做完"
    assert [text[start:end] for start, end in wrap_text(text, 14)] == ["我们先把数据", "库，迁移做完"]


def test_indentation_and_empty_rows_are_preserved():
    text = "def f():\n    return 1\n\nf()"
    assert [text[start:end] for start, end in wrap_text(text, 40)] == ["def f():", "    return 1", "", "f()"]


def test_wrapping_a_very_long_line_omits_at_most_one_character_per_row():
    text = ("漢字" * 7 + FAMILY + " e\u0301") * 1500
    rows = wrap_text(text, 57)
    assert sum(end - start for start, end in rows) >= len(text) - len(rows)


@pytest.mark.parametrize(
    ("cluster", "rendered", "cells"),
    [
        ("👩\u200d💻", "👩💻", 4),
        ("❤\ufe0f", "❤", 1),
        ("👍🏽", "👍", 2),
        ("🇨🇳", "CN", 2),
        ("🇨", "C", 1),
        ("\u0301", "\u25cc\u0301", 1),
        ("\u200b", "", 0),
        ("\xad", "", 0),
        ("é", "é", 1),
        ("漢", "漢", 2),
        ("a" + "\u0301" * 50, "a" + "\u0301" * MAX_COMBINING_MARKS, 1),
    ],
)
def test_clusters_of_ambiguous_width_are_rendered_in_an_unambiguous_form(cluster: str, rendered: str, cells: int):
    assert render_cluster(cluster) == (rendered, cells)


def test_control_characters_are_not_rendered():
    for character in map(chr, (*range(0x20), *range(0x7F, 0xA0))):
        assert render_cluster(character) in {("", 0), ("\ufffd", 1)}


@given(st.text(max_size=40).map(sanitize_body), st.integers(0, 20))
def test_only_text_wider_than_its_column_is_truncated_with_an_ellipsis(text: str, width: int):
    line = text.replace("\n", " ")
    complete, complete_cells = truncate_to_width(line, len(line) * MAX_CLUSTER_CELLS)
    rendered, cells = truncate_to_width(line, width)
    assert cell_len(rendered) == cells <= width
    if complete_cells <= width:
        assert rendered == complete
    elif width:
        assert rendered.endswith("…")
        assert complete.startswith(rendered[:-1])
        assert cells > width - MAX_CLUSTER_CELLS
