"""Letters: their words, their bytes, and what administrators and strangers may do to them."""
