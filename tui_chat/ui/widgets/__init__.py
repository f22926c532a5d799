"""Widgets of the chat and join screens.

A widget imports no screen.
"""
