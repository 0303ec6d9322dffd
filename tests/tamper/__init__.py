"""What a git host, a member or a former member could try, on real stores of random content."""
