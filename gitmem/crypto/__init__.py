"""Sealing, wrapping, signing and where identities come from."""
