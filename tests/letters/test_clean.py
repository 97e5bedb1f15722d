"""What of a letter templates may see at all, before any of them runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailticket.letters import samples
from mailticket.letters.clean import presentable
from mailticket.letters.values import KINDS, Found, LetterKind, Quoted

SECRET = "win-at-evil.example"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_an_unverified_sender_wrote_reaches_a_template(kind: LetterKind) -> None:
    sample = samples.letter(kind, "en")
    written = replace(
        sample,
        subject=SECRET,
        name=SECRET,
        found=(Found("Order", SECRET),),
        history=Quoted(SECRET, sample.date, SECRET),
    )
    assert SECRET not in str(replace(presentable(replace(written, verified=False)), to="", in_reply_to=""))
    known = presentable(replace(written, verified=True))
    assert (known.subject, known.name, known.found[0].value) == (SECRET, SECRET, SECRET)
    assert known.history is not None and known.history.text == SECRET
