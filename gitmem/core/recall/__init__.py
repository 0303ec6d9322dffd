"""Recall: what an error text says, what a pattern matches, and the order of the answers."""
