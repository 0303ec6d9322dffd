"""What is kept of whom: redaction, consent, erasure, and a person's own archive."""
