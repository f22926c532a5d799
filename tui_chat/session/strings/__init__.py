"""Translatable texts of the user interface."""
