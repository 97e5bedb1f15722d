"""mailticket: an email ticket daemon."""

__version__ = "0.1.0"
