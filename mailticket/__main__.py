"""`python -m mailticket` is the command `mailticket`."""

from mailticket.cli import main

main()
