"""Records, logs, journal and index as files."""
