"""What a network, a disk, a server, a kill or a flood can do; each row of the fault table has its test here."""
