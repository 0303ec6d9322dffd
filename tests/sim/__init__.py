"""Random histories of a team on real repositories, held against an oracle: `python -m tests.sim --seed 7 -v`."""
