"""docs/recording.cast is a recording that players can show, and shows what is said of it."""

import json

import pyte

from tools.recording import COLUMNS, OUTPUT_FILE, ROWS

SCENES = (
    "Good morning! Is the build green?",
    "bob is typing",
    "answering bob: Green since seven",
    "╭ bob: Green since seven",
    "[🎉 2]",
    "in all rooms · 1 found",
)


def test_the_recording_shows_a_talk_an_answer_a_reaction_and_a_search() -> None:
    header, *rows = OUTPUT_FILE.read_text(encoding="utf-8").splitlines()
    assert json.loads(header).items() >= {"version": 2, "width": COLUMNS, "height": ROWS}.items()
    assert OUTPUT_FILE.stat().st_size <= 100_000
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    waiting, times = list(SCENES), [0.0]
    for row in rows:
        at, kind, written = json.loads(row)
        assert kind == "o"
        assert at >= times[-1]
        times.append(at)
        stream.feed(written)
        # The second half of a wide character is a cell of its own.
        shown = ["".join(screen.buffer[y][x].data for x in range(COLUMNS)) for y in range(ROWS)]
        if waiting and any(waiting[0] in line for line in shown):
            waiting.pop(0)
    assert waiting == []
    assert 20 <= times[-1] <= 45
