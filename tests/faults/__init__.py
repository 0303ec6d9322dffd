"""Crashes, failing system calls, power losses, full disks, flipped bits, many writers at once."""
