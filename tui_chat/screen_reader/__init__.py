"""Front end for screen readers: plain lines instead of a screen.

- Start-up: no module of this package imports Textual.
"""
