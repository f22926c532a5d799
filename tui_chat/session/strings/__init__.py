"""Translatable strings by subject."""
