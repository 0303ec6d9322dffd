"""Recording: what people and programs write, each acknowledged when it is on the disk."""
