"""What in a mail could deceive the person who reads it: names, domains and file names that pretend to be others.

Nothing here decides anything. A warning is shown beside the mail; the sender's identity is judged elsewhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from mailticket.mail.address import Address
from mailticket.mail.values import Mail
from mailticket.settings import Settings
from mailticket.text.patterns import lazy_pattern

_MOST = 8
_LONGEST = 200
_ADDRESS = lazy_pattern(r"[^\s<>()\"',;:@]{1,64}@[^\s<>()\"',;:@]{1,100}")
_WORD = lazy_pattern(r"[^\W_]+")
# Words that every help desk has in its name: alone they are nobody's brand.
_COMMON = frozenset({
    "support", "help", "helpdesk", "desk", "service", "services", "customer", "care", "team", "official", "office",
    "admin", "center", "centre", "the", "and", "of", "客服", "客户服务", "客服中心", "技术支持", "支持", "官方", "团队",
    "客戶服務", "技術支援", "團隊",
})  # fmt: skip
# Reserved for documentation (RFC 2606): an example is nobody's brand.
_NO_BRANDS = frozenset(("example", "test", "invalid", "localhost"))
_SECOND_LEVELS = frozenset(("ac", "co", "com", "edu", "gov", "net", "or", "org"))
_SHORTEST_LABEL = 4
_SHORTEST_BRAND = 3
_TELLING = 6  # letters of a brand that is recognised inside other words
# Letters that look like Latin ones: Cyrillic, Greek, and what is typed for a letter.
_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝкмтвнгαεικνορτυχωη013@$|i",
    "aeopcyxljshdqwkmtbhraelkvoptuxwnoleasll",
)
_SCRIPTS = (("LATIN", "Latin"), ("CYRILLIC", "Cyrillic"), ("GREEK", "Greek"))
_PROGRAMS = frozenset({
    "apk", "app", "bat", "cmd", "com", "cpl", "dll", "docm", "exe", "hta", "img", "iso", "jar", "js", "jse", "lnk",
    "msi", "msix", "pif", "ps1", "reg", "scr", "sh", "vb", "vbe", "vbs", "vhd", "wsf", "xlsm",
})  # fmt: skip


def warnings(mail: Mail, settings: Settings) -> tuple[str, ...]:
    """What staff should beware of, in sentences' parts, at most eight; linear in the mail's headers."""
    beware: dict[str, None] = {}
    for sender in mail.from_[:3]:
        beware.update(dict.fromkeys(_about(sender, settings)))
    beware.update(dict.fromkeys(_reply_to(mail)))
    beware.update(dict.fromkeys(_files(mail)))
    return tuple(beware)[:_MOST]


def _about(sender: Address, settings: Settings) -> Iterator[str]:
    name = unicodedata.normalize("NFKC", sender.name[:_LONGEST])
    ours = {address.rpartition("@")[2] for address in settings.own_addresses}
    shown = _ADDRESS.search(name)
    if shown is not None and shown[0].lower() != sender.key:
        yield f"the name shows the address {shown[0]}, the mail comes from {sender.key}"
    for word in _WORD.findall(name):
        scripts = _scripts(word)
        if len(scripts) > 1:
            yield f"the name mixes {' and '.join(scripts)} letters in {word}"
    if not sender.domain or any(f".{sender.domain}".endswith(f".{domain}") for domain in ours):
        return
    if any(_is_named_like(name, own) for own in (settings.support.name, *(brand.title for brand in settings.brand))):
        yield f"the name is like ours, the mail comes from {sender.domain}"
    imitated = next((domain for domain in sorted(ours) if _is_like(sender.domain, domain)), "")
    if imitated:
        yield f"the domain {sender.domain} looks like our {imitated}"


def _scripts(word: str) -> list[str]:
    """The alphabets that a word is written in, of those whose letters look alike."""
    names = {unicodedata.name(letter, "").partition(" ")[0] for letter in word}
    return [title for script, title in _SCRIPTS if script in names]


def _is_named_like(name: str, ours: str) -> bool:
    """Whether a display name is one of ours, or bears all the words that make our name its own."""
    own, other = _words(ours), _words(name)
    brand = [word for word in own if word not in _COMMON and word not in _NO_BRANDS]
    together = "".join(brand)
    if not other or len(together) < _SHORTEST_BRAND:
        return bool(other) and other == own
    return set(brand) <= set(other) or (len(together) >= _TELLING and together in "".join(other))


def _words(name: str) -> list[str]:
    return [_skeleton(word) for word in _WORD.findall(unicodedata.normalize("NFKC", name))]


def _skeleton(text: str) -> str:
    """The text as the eye takes it: look-alike letters as Latin ones, marks dropped, "rn" as "m"."""
    # Lowercased after the translation too, for decomposing may set letters free.
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return plain.translate(_LOOK_ALIKES).replace("rn", "m").replace("vv", "w")


def _is_like(domain: str, own: str) -> bool:
    """Whether a foreign domain could be taken for ours: the same label, one with ours in it, or one letter off."""
    label, foreign = _label(own), _label(_readable(domain))
    if len(label) < _SHORTEST_LABEL or label in _NO_BRANDS:
        return False
    mine, theirs = _skeleton(label), _skeleton(foreign)
    parts = {_skeleton(part) for piece in _readable(domain).split(".") for part in piece.split("-")}
    return mine in parts or mine in (theirs, theirs.replace("-", "")) or _one_edit(mine, theirs)


def _readable(domain: str) -> str:
    """The domain with its punycode labels (RFC 3492) as the eye sees them."""
    shown = []
    for label in domain.split(".")[:20]:
        try:
            shown.append(label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label)
        except UnicodeError:
            shown.append(label)
    return ".".join(shown)


def _label(domain: str) -> str:
    """The label that its owner chose: "coinharbor" of mail.coinharbor.co.uk."""
    labels = domain.split(".")
    if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS:
        return labels[-3]
    return labels[-2] if len(labels) > 1 else labels[0]


def _one_edit(one: str, other: str) -> bool:
    """Whether one letter more, less or other, or two exchanged neighbours, make one word of the other."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _reply_to(mail: Mail) -> Iterator[str]:
    """Answers go to From; a Reply-To elsewhere is worth knowing of."""
    if mail.sender_address is None or mail.automatic is not None:
        return
    for address in mail.reply_to[:3]:
        if address.domain and address.domain != mail.sender_address.domain:
            yield f"Reply-To names another domain: {address.key[:_LONGEST]}"


def _files(mail: Mail) -> Iterator[str]:
    for file in mail.attachments[:50]:
        extension = file.name.rpartition(".")[2].lower() if "." in file.name else ""
        if extension in _PROGRAMS:
            yield f"the attachment {file.name[:100]} is a program"
    yield from mail.deceptions
