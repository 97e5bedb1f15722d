"""The real program in a subprocess, against real servers; what happened is counted on the servers' side."""
