"""Feed the mail reader with mutated mails for a bounded time.

    python -m tests.fuzz.fuzz_reader [--seconds 60] [--seed 1] [--corpus FOLDER]

Uses atheris (coverage-guided) where it is installed, else its own seeded mutations. A mail that breaks a promise is
written to a temporary file whose name is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.fuzz.mutation import mutate

atheris: Any = importlib.import_module("atheris") if importlib.util.find_spec("atheris") else None

# What is to be covered must be instrumented while it is imported.
with atheris.instrument_imports(include=["mailticket"]) if atheris else contextlib.nullcontext():
    from mailticket.mail import attachment_bytes, read
    from mailticket.mail.forwarded import forwarded
    from mailticket.mail.staff_cut import staff_cut
    from mailticket.mail.values import Mail, Ourselves
    from mailticket.topics.categories import classifier
    from mailticket.topics.exchange_trade import EXCHANGE
    from mailticket.triage.orders import Known, read_orders
    from mailticket.triage.understanding import understand

MAILS = Path(__file__).resolve().parents[1] / "mail" / "eml"
SITE = Ourselves(own_addresses=frozenset({"support@example.com"}), authserv_id="mx.example", reply_marker="##")
CLASSIFIER = classifier(EXCHANGE)
SLOW = 1.0  # seconds that no mail of this size may take


def check(raw: bytes) -> None:
    """Raises AssertionError where a promise of the reader is broken."""
    start = time.process_time()
    mail = read(raw, SITE)
    assert time.process_time() - start < SLOW, "the reading took too long"
    assert not [w for w in mail.warnings if "could not be read" in w], mail.warnings
    for text in (mail.subject, mail.text, mail.new_text, *(a.name for a in mail.attachments)):
        assert "\0" not in text, "a NUL left the reader"
        text.encode("utf-8")
    assert bool(mail.text.strip()) == bool(mail.new_text.strip()), "text was lost"
    for attachment in mail.attachments:
        assert len(attachment_bytes(raw, attachment.part)) == attachment.size, "an attachment was not found again"
    start = time.process_time()
    meaning = understand(mail, CLASSIFIER)
    assert time.process_time() - start < SLOW, "the understanding took too long"
    assert bool(meaning.text.strip()) == bool(mail.text.strip()), "masking lost the text"
    check_as_staff(raw, mail)


def check_as_staff(raw: bytes, mail: Mail) -> None:
    """The same for what staff's mails are read by."""
    start = time.process_time()
    cut = staff_cut(mail, SITE, "qk3vx7m")
    assert cut.text.strip() or not cut.sure, "nothing was said to be an answer"
    forwarded(mail, raw, SITE)
    read_orders(cut.text, Known())
    assert time.process_time() - start < SLOW, "the reading of a staff mail took too long"


def by_mutation(seconds: float, seed: int, mails: list[bytes]) -> int:
    """Check mutated mails until the time is over; the number of mails checked."""
    rng = random.Random(seed)
    ends = time.monotonic() + seconds
    count = 0
    while time.monotonic() < ends:
        raw = mutate(rng.choice(mails), rng.randrange(2**32), mails)
        try:
            check(raw)
        except Exception:
            with tempfile.NamedTemporaryFile(prefix="reader-", suffix=".eml", delete=False) as file:
                file.write(raw)
            print(f"after {count} mails, seed {seed}: {file.name}", file=sys.stderr)
            raise
        count += 1
    return count


def by_coverage(seconds: float, seed: int, folder: Path) -> None:
    """Let atheris choose the mutations; it ends the process itself."""
    with tempfile.TemporaryDirectory() as found:
        atheris.Setup([sys.argv[0], f"-max_total_time={int(seconds)}", f"-seed={seed}", found, str(folder)], check)
        atheris.Fuzz()


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--corpus", type=Path, default=MAILS, help="a folder of mails to begin with")
    arguments = options.parse_args()
    if atheris:
        by_coverage(arguments.seconds, arguments.seed, arguments.corpus)
        return 0
    mails = [path.read_bytes() for path in sorted(arguments.corpus.rglob("*")) if path.is_file()]
    try:
        print(f"{by_mutation(arguments.seconds, arguments.seed, mails)} mails, no promise broken")
    except Exception as fault:
        print(f"{type(fault).__name__}: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
