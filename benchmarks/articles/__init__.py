"""Measures the choice of help articles on labelled requests."""
