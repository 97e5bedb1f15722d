"""Whether promises hold: simulated help desks, replayed."""
