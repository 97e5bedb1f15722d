"""Whether two requests are the same matter. Pure."""
