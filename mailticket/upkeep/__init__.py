"""What keeps the house in order while mail comes and goes."""
