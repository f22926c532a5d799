"""Form of emoji sequences, by the width that the terminal reports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.ui.terminal.emoji_probe import EmojiProbe
from tui_chat.ui.timeline.grapheme_cells import render_cluster, set_emoji_sequences

JOINED = "👩\u200d💻"
REQUEST = b"\x1b[6n"


@pytest.fixture
def full_emoji() -> Iterator[None]:
    """Draw emoji sequences as one glyph."""
    set_emoji_sequences(True)
    yield
    set_emoji_sequences(False)


@pytest.mark.parametrize(
    ("columns", "supported"),
    [((3, 3, 3, 3), True), ((5, 3, 3, 3), False), ((3, 2, 3, 3), False), ((3, 3, 3, 5), False)],
)
def test_sequences_are_supported_if_each_takes_two_columns(columns: tuple[int, ...], supported: bool) -> None:
    probe = EmojiProbe()
    answers = [probe.feed(f"\x1b[2;{column}R") for column in columns]
    assert answers == [None, None, None, supported]
    assert probe.feed("\x1b[2;3R") is None


def test_other_sequences_are_no_answer() -> None:
    probe = EmojiProbe()
    for sequence in ("\x1b[1;3R", "\x1b[A", "a", "\x1b[2;3R ", "\x1b[2;R"):
        for _ in range(4):
            assert probe.feed(sequence) is None


@pytest.mark.usefixtures("full_emoji")
@pytest.mark.parametrize(
    "cluster", [JOINED, "❤\ufe0f", "🇨🇳", "👍🏽", "1\ufe0f\u20e3", "🏳\ufe0f\u200d🌈", "👨\u200d👩\u200d👧"]
)
def test_a_supported_sequence_is_one_glyph_of_two_cells(cluster: str) -> None:
    assert render_cluster(cluster) == (cluster, 2)


@pytest.mark.usefixtures("full_emoji")
@pytest.mark.parametrize("cluster", ["x\u200dy", "中\ufe0f", "\u200d", "\ufe0f", "🇨", "👍\u200d" * 9, "e\u0301"])
def test_other_clusters_keep_their_stable_form(cluster: str) -> None:
    rendered = render_cluster(cluster)
    set_emoji_sequences(False)
    assert rendered == render_cluster(cluster)


async def test_the_answer_of_the_terminal_and_the_setting_select_the_form(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        command = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        async with terminal(command, tmp_path / "ann") as tty:
            await tty.wait_for_text("1 here")
            await wait_until(lambda: tty.written.count(REQUEST) == 4)
            tty.write_keys(f"hi {JOINED} there\r")

            def is_joined() -> bool:
                return JOINED.encode() in tty.written[start:]

            def is_separate() -> bool:
                return "👩💻".encode() in tty.written[start:]

            start = 0
            await wait_until(is_separate)
            start = len(tty.written)
            tty.write_keys("\x1b[2;3R" * 4)
            await wait_until(is_joined)
            start = len(tty.written)
            tty.write_keys("/set emoji safe\r")
            await wait_until(is_separate)
            start = len(tty.written)
            tty.write_keys("/set emoji full\r")
            await wait_until(is_joined)
