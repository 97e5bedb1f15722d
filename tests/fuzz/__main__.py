"""`python -m tests.fuzz`: the fuzzers of the project; so far the mail reader's."""

from __future__ import annotations

import sys

from tests.fuzz.fuzz_reader import main

if __name__ == "__main__":
    sys.exit(main())
