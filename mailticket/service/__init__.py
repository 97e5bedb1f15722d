"""What runs when, and how it stops."""
