"""Measurements of what mailticket promises: each folder holds a labelled set and a command that prints figures."""
