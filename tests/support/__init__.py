"""What several test modules need: a hermetic environment, and the real git and gitmem run as a user runs them."""
