"""Text as words and scripts. Pure."""
