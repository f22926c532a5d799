"""Slash commands: registry, completion and handlers shared by the front ends."""
