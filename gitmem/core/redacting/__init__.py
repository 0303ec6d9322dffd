"""Redaction: secrets and personal data in a text are found and replaced."""
