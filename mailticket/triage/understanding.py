"""What a mail is about, read from its words alone: category, details, likeness, and secrets to be masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailticket.likeness.duplicates import Fingerprint, fingerprint
from mailticket.mail.values import Mail
from mailticket.secrets import masking
from mailticket.topics import fields
from mailticket.topics.categories import Classifier, Verdict
from mailticket.triage import signatures

_LONGEST_END = 5_000  # characters at each end of what is not new that are looked at
_OUR_HISTORY = "below the marker"  # the kind of a cut at the line that opens every letter of ours


@dataclass(frozen=True, slots=True)
class Understanding:
    """The meaning of a mail's words.

    subject, text and new_text are masked. secrets: the kinds that surely were; doubtful_secrets: those that may be.
    """

    verdict: Verdict
    fields: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]
    fingerprint: Fingerprint
    subject: str
    text: str
    new_text: str
    secrets: tuple[str, ...]
    doubtful_secrets: tuple[str, ...] = ()


def understand(mail: Mail, classifier: Classifier) -> Understanding:
    """Understand a mail; never raises, and takes time linear in its text."""
    subject, text = masking.mask(mail.subject, heading=True), masking.mask(mail.text)
    new_text = text if mail.new_text == mail.text else masking.mask(mail.new_text)
    masks = (subject, text, new_text)
    secrets = tuple(dict.fromkeys(kind for mask in masks for kind in mask.sure))
    verdict = classifier.classify(subject.text, new_text.text)
    details = classifier.extract(f"{subject.text}\n{new_text.text}")
    if text is not new_text and not _answers_us(mail):
        details = _merged(details, classifier.identifiers(_beyond(text.text, new_text.text)))
    category = classifier.category(verdict.name)
    return Understanding(
        verdict=verdict,
        fields=details,
        missing=fields.missing(category, details) if category and verdict.sure and not mail.encrypted else (),
        fingerprint=fingerprint(
            subject.text,
            new_text.text,
            fields=details,
            category=verdict.name,
            category_sure=verdict.sure,
            lexicon=classifier.trade.lexicon,
        ),
        subject=subject.text,
        text=text.text,
        new_text=new_text.text,
        secrets=secrets,
        doubtful_secrets=tuple(dict.fromkeys(kind for mask in masks for kind in mask.doubtful if kind not in secrets)),
    )


def _answers_us(mail: Mail) -> bool:
    """Whether what is cut is the history of a letter of ours, whose details are the ticket's already."""
    return (
        any(map(signatures.looks_like_ours, (*mail.in_reply_to, *mail.references)))
        or any(signatures.looks_like_reply(address.address) for address in mail.to)
        or any(cut.kind == _OUR_HISTORY for cut in mail.cuts)
    )


def _beyond(text: str, new_text: str) -> str:
    """The lines of the text that the new text leaves out, without the marks of a quote; of many the first and the last.

    A quote begins with the mail that is answered, and ends with the one that began the matter."""
    lines, new_lines = text.splitlines(), set(new_text.splitlines())
    left_out = {line for line in set(lines) if line.rstrip() not in new_lines}
    rest = "\n".join(line.lstrip("> \t") for line in lines if line in left_out) if left_out else ""
    return rest if len(rest) <= 2 * _LONGEST_END else f"{rest[:_LONGEST_END]}\n{rest[-_LONGEST_END:]}"


def _merged(
    details: Mapping[str, tuple[str, ...]], further: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """The details with further ones behind them; what is an account is never an order as well."""
    named = {value for values in details.values() for value in values}
    merged = dict(details)
    for name, values in further.items():
        merged[name] = (*merged.get(name, ()), *(value for value in values if value not in named))[: fields.MOST_VALUES]
    return {name: values for name, values in merged.items() if values}
