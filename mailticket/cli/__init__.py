"""The commands: they print and set exit codes, and hold no logic of their own."""
