"""Persistent client state: profile, drafts, input history and read markers."""
