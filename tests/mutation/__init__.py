"""Whether the tests would notice: small faults put into the merge and the rotation rule, one at a time. See `__main__.py`."""
