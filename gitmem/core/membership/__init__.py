"""Membership: who belongs to the store and may do what, folded from signed entries."""
