"""Inline images: sizes in cells, decoding in a child process, and output as terminal graphics or half blocks.

Imports neither the timeline nor the screens.
"""
