"""What a mail is about, read from its words alone: category, details, likeness, and secrets to be masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailticket.likeness.duplicates import Fingerprint, fingerprint
from mailticket.mail.values import Mail
from mailticket.secrets import masking
from mailticket.topics import fields
from mailticket.topics.categories import Classifier, Verdict


@dataclass(frozen=True, slots=True)
class Understanding:
    """The meaning of a mail's words. subject, text and new_text are masked; secrets names the kinds that were."""

    verdict: Verdict
    fields: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]
    fingerprint: Fingerprint
    subject: str
    text: str
    new_text: str
    secrets: tuple[str, ...]


def understand(mail: Mail, classifier: Classifier) -> Understanding:
    """Understand a mail; never raises, and takes time linear in its text."""
    subject, in_subject = masking.mask(mail.subject)
    text, in_text = masking.mask(mail.text)
    new_text, in_new_text = (text, in_text) if mail.new_text == mail.text else masking.mask(mail.new_text)
    verdict = classifier.classify(subject, new_text)
    details = classifier.extract(f"{subject}\n{new_text}")
    category = classifier.category(verdict.name)
    return Understanding(
        verdict=verdict,
        fields=details,
        missing=fields.missing(category, details) if category and verdict.sure and not mail.encrypted else (),
        fingerprint=fingerprint(
            subject,
            new_text,
            fields=details,
            category=verdict.name,
            category_sure=verdict.sure,
            lexicon=classifier.trade.lexicon,
        ),
        subject=subject,
        text=text,
        new_text=new_text,
        secrets=tuple(dict.fromkeys((*in_subject, *in_text, *in_new_text))),
    )
