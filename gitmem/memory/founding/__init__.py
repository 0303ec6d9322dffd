"""Making a store: founded, on a branch beside code, or cloned."""
