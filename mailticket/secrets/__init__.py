"""What must not be shown. Pure."""
