"""An address as people and programs know it: its name, its writing, and the form in which it is compared."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address header: the name for display (decoded, cleaned), the address as written."""

    name: str
    address: str

    @property
    def key(self) -> str:
        """The address as it is compared: ASCII letters lowercased, domain as A-label; tags and dots kept."""
        return address_key(self.address)

    @property
    def domain(self) -> str:
        return self.key.rpartition("@")[2]


def address_key(address: str) -> str:
    """The form in which addresses are compared (section 7 of the design): ASCII-lowercased, IDN domain as A-label."""
    local, at, domain = address.rpartition("@")
    if not domain.isascii():
        with suppress(UnicodeError):
            domain = domain.encode("idna").decode("ascii")
    lowered = "".join(c.lower() if c.isascii() else c for c in local)
    return f"{lowered}{at}{domain.lower()}"
