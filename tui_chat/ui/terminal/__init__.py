"""Terminal driver, escape sequences and notifications."""
