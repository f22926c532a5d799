"""Room log and history synchronization."""
