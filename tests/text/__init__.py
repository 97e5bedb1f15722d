"""Tests of `mailticket.text`."""
