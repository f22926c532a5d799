"""Room log and history fetches."""
