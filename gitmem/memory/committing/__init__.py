"""Commits: what the journal holds becomes history, signed for, and nothing of anybody else's."""
