"""Pure rules of records: no disk, clock, environment, git or randomness."""
