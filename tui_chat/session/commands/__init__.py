"""Slash commands of all front ends: registry, completion and handlers."""
