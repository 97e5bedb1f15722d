"""Whether every secret of a labelled set of mails is masked, and everything that only looks like one stays."""
