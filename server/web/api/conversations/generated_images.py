"""Generated images in place of missing avatars and covers."""

import hashlib

_GRID = 5  # cells per side; the right half mirrors the left one


def render_image(kind: str, owner_id: int) -> str:
    """Return an SVG image with a pattern that depends on its arguments only.

    Args:
        kind: `avatar` or `cover`.
        owner_id: Id of the user or group.
    """
    digest = hashlib.sha256(f"{kind} {owner_id}".encode()).digest()
    hue = int.from_bytes(digest[:2]) % 360
    cells = "".join(
        f'<rect x="{column}" y="{row}" width="1" height="1"/>'
        for row in range(_GRID)
        for column in range(_GRID)
        if digest[2 + row * 3 + min(column, _GRID - 1 - column)] % 2
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200" viewBox="-1 -1 {_GRID + 2} {_GRID + 2}">'
        f'<rect x="-1" y="-1" width="{_GRID + 2}" height="{_GRID + 2}" fill="hsl({hue} 40% 90%)"/>'
        f'<g fill="hsl({hue} 55% 45%)" shape-rendering="crispEdges">{cells}</g></svg>'
    )
