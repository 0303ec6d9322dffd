"""The one door to git, and what is built on it."""
