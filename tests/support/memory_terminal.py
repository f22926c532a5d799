"""The program on a terminal in memory: every byte it writes goes into pyte."""

import pyte
from textual.drivers.headless_driver import HeadlessDriver
from wcwidth import wcwidth


class PyteScreen(pyte.Screen):
    """pyte, but for its habit of dropping the rest of a run after a mark that NFC does not know."""

    def draw(self, data: str) -> None:
        """Put these characters on the screen, without those that take no cell."""
        super().draw(strip_zero_width(data))


class MemoryDriver(HeadlessDriver):
    """A driver whose terminal is a pyte screen.

    Attributes:
        screen: What is shown.
        written: All that was written.
    """

    pyte_screen: PyteScreen
    written: str = ""

    @property
    def is_headless(self) -> bool:
        """There is a terminal, though nobody sees it."""
        return False

    def write(self, data: str) -> None:
        """Show it."""
        if not self.written:
            self.pyte_screen = PyteScreen(*(self._size or (80, 24)))
            self._stream = pyte.Stream(self.pyte_screen)
        self.written += data
        self._stream.feed(data)


def strip_zero_width(text: str) -> str:
    """What of a text takes cells."""
    return "".join(character for character in text if character < " " or wcwidth(character) > 0)
