"""Kinds: what a record of one kind may hold, and what is wrong with one that holds something else."""
