"""Tests of `mailticket.letters`, with the built-in letters of an exchange."""

from __future__ import annotations

from dataclasses import replace

from mailticket.letters import Letter, LetterKind, samples
from mailticket.topics.exchange_letters import EXCHANGE_WORDING

HEAD = replace(samples.HEAD, wording=EXCHANGE_WORDING)


def sample(kind: LetterKind, language: str) -> Letter:
    return samples.letter(kind, language, EXCHANGE_WORDING)
