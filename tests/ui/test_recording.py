"""Format and contents of docs/recording.cast."""

import json

import pyte

from tools.recording import COLUMNS, OUTPUT_FILE, ROWS

SCENES = (
    "Good morning! Is the build green?",
    "bob is typing",
    "replying to bob: Green since seven",
    "╭ bob: Green since seven",
    "[🎉 2]",
    "in all rooms · 1 found",
)


def test_the_recording_shows_messages_a_reply_a_reaction_and_a_search() -> None:
    header, *rows = OUTPUT_FILE.read_text(encoding="utf-8").splitlines()
    assert json.loads(header).items() >= {"version": 2, "width": COLUMNS, "height": ROWS}.items()
    assert OUTPUT_FILE.stat().st_size <= 100_000
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    missing_scenes, times = list(SCENES), [0.0]
    for row in rows:
        time, event_type, output = json.loads(row)
        assert event_type == "o"
        assert time >= times[-1]
        times.append(time)
        stream.feed(output)
        # pyte stores an empty cell after each wide character.
        displayed_rows = ["".join(screen.buffer[y][x].data for x in range(COLUMNS)) for y in range(ROWS)]
        if missing_scenes and any(missing_scenes[0] in line for line in displayed_rows):
            missing_scenes.pop(0)
    assert missing_scenes == []
    assert 20 <= times[-1] <= 45
