"""Hostile bytes for the readers, for as long as one likes."""
