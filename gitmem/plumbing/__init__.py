"""What git itself starts: merge strategy, merge driver, textconv, hooks."""
