"""The Model Context Protocol: gitmem's facade as tools for agents."""
