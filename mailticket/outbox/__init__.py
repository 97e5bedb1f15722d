"""A letter's way out: composed into a row, then delivered."""
