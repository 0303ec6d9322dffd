"""gitmem: shared memory for a team and its coding agents, kept in git."""

__version__ = "0.1.0"
