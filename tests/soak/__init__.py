"""A long random run: mail, kills, cuts, refusals, restarts and a tidying human; then every mail is counted."""
