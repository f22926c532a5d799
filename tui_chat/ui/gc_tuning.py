"""The garbage collector, told what it need not look at.

What a program of this size has after its start is over a hundred thousand objects that
stay to its end. Looking through them all takes 40 to 80 ms, which is felt when it falls
between a key and its echo; and what is drawn and what comes from the network is freed by
its last reference anyway (benchmarks/terminal).
"""

import gc


def pause_collection() -> None:
    """Look for no cycles until something is shown: a sixteenth of the start went into it, and there are none."""
    gc.disable()


def resume_collection() -> None:
    """The start is over; what it made stays, and need not be looked at."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def tune_thresholds() -> None:
    """All that is there now stays; look for cycles only in what comes."""
    gc.freeze()  # without collecting first: that is the pause this is against
    gc.set_threshold(5_000, 20, 100)  # through all that came since takes 20 ms
