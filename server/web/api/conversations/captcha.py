"""Captchas of the login form, as SVG images.

The clients of the dialect require captchas. Programs can read them: the limit of failed logins protects accounts.
"""

import secrets
from collections.abc import Callable

from server.domain.lru_table import LruTable

LIFETIME = 180.0
"""Validity of a captcha in seconds."""

CHARACTERS = 4
"""Number of characters of a captcha."""

_MAX_CAPTCHAS = 10_000
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without characters that look alike
_COLORS = ("#7c3aed", "#0e7490", "#b45309", "#be185d")


class CaptchaStore:
    """Captchas by the `uid` of the form, at most `_MAX_CAPTCHAS`; the least recently used one is dropped.

    Args:
        monotonic: Monotonic clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._captchas = LruTable[str, tuple[str, float]](_MAX_CAPTCHAS)  # text and expiry by uid

    def create(self, uid: str) -> str:
        """Return the image of a new captcha, valid for `LIFETIME`; it replaces the previous one of the form."""
        text = "".join(secrets.choice(_ALPHABET) for _ in range(CHARACTERS))
        self._captchas.put(uid, (text, self._monotonic() + LIFETIME))
        return _render(text)

    def verify(self, uid: str, text: str) -> bool:
        """Return whether a text is that of the captcha of a form, in upper or lower case; the captcha stays valid.

        False for an unknown form and an expired captcha.
        """
        expected, expires_at = self._captchas.get(uid) or ("", 0.0)
        return expected != "" and self._monotonic() < expires_at and text.upper() == expected


def _render(text: str) -> str:
    """Return a text as an SVG image, with one `<text>` element of random height and rotation per character."""
    characters = "".join(
        f'<text x="{16 + 26 * index}" y="{30 + secrets.randbelow(8)}" fill="{_COLORS[index]}"'
        f' transform="rotate({secrets.randbelow(41) - 20} {16 + 26 * index} 26)">{character}</text>'
        for index, character in enumerate(text)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="44" viewBox="0 0 120 44"'
        f' font-family="monospace" font-size="26" font-weight="bold">{characters}</svg>'
    )
