"""Speed and memory of the running program, beside a bare loop on the same servers in the same run."""
