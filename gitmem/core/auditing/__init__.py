"""The audit log: its format, its chains, and what proves how far they have come."""
