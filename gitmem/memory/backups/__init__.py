"""Copies of the store, on this disk and elsewhere, and coming back from them."""
