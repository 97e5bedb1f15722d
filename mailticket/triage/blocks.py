"""Whether a mail is blocked, and by which block. It need not be proved that its From is true: blocking only files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailticket.mail.address import address_key
from mailticket.mail.values import Mail
from mailticket.settings import Block, Settings, is_below


def block_of(mail: Mail, settings: Settings, people: Mapping[str, str]) -> str:
    """The block that hits a mail, in words for staff; "" for none.

    people: addresses, as they are compared, that staff blocked by command, each with who blocked it. All addresses of
    From count, and the one that a form claims. Our own and staff's are never blocked, whatever was written before they
    became that.
    """
    if not settings.block and not people:
        return ""
    written = (*mail.from_, *([mail.sender_address] if mail.sender_address else []))
    addresses = [address.key for address in written if address.key not in settings.never_blocked]
    hits = (people.get(address, "") for address in addresses)
    return next(filter(None, (*hits, *_configured(mail, settings, addresses))), "")


def _configured(mail: Mail, settings: Settings, addresses: list[str]) -> Iterator[str]:
    for block in settings.block:
        if block.address and address_key(block.address) in addresses:
            yield _words(block, f'address = "{block.address}"')
        elif any(is_below(address.rpartition("@")[2], _ascii(block.domain)) for address in addresses):
            yield _words(block, f'domain = "{block.domain}"')
        elif block.header and mail.block_header == (block.header[0].lower(), block.header[1].lower()):
            yield _words(block, f'header = ["{block.header[0]}", "{block.header[1]}"]')


def _ascii(domain: str) -> str:
    """A domain as those of addresses are compared; "" stays it."""
    return address_key(f"@{domain}")[1:]


def _words(block: Block, way: str) -> str:
    return f"[[block]] {way}" + (f": {block.reason}" if block.reason else "")
