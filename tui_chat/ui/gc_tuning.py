"""Garbage collector tuning for short pauses.

After startup the process holds more than 100,000 objects that live until exit. A full collection takes 40 to 80 ms,
a noticeable delay if it falls between a key press and its echo. Objects of rendering and network events are freed by
reference counting alone (benchmarks/terminal, module `strip_cycles`).
"""

import gc


def pause_collection() -> None:
    """Disable cyclic collection, which would take 6 % of the startup time."""
    gc.disable()


def resume_collection() -> None:
    """Exclude all objects of the startup from collection, then enable collection. No effect if not paused."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def tune_thresholds() -> None:
    """Exclude all current objects from collection and raise the thresholds."""
    gc.freeze()  # no collection first: that is the pause to avoid
    gc.set_threshold(5_000, 20, 100)  # a full collection of newer objects takes 20 ms
