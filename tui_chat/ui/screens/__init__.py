"""Screens and dialogs.

A screen imports widgets and the timeline, never the app.
"""
