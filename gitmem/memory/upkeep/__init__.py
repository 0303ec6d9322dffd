"""What keeps a store small and up to date over the years."""
