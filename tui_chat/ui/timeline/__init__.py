"""Message timeline: layout, virtual list, cursor and selection.

Imports no screen.
"""
