"""Sizes of files as text. The import of file captions would delay the first screen."""

from math import floor

_UNITS = ("KiB", "MiB", "GiB")


def describe_size(size: int) -> str:
    """Return a size in bytes as a short text, such as `812 B` or `1.2 MiB`, rounded half up.

    A value of 1000 or more changes to the next unit, at most `GiB`. Values below 100 have one decimal place, except in
    bytes. Both limits apply to the value before rounding.
    """
    value, unit = float(size), "B"
    for larger_unit in _UNITS:
        if value < 1000:
            break
        value, unit = value / 1024, larger_unit
    decimal_places = 0 if unit == "B" or value >= 100 else 1
    scale = 10**decimal_places
    return f"{floor(value * scale + 0.5) / scale:.{decimal_places}f} {unit}"
