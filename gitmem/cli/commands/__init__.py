"""One module for each command; `command` in it is the command."""
