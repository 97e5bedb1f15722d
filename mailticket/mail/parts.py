"""The shape of a mail before its content is decoded: header fields and parts, as slices of the raw bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Headers:
    """The header fields of one part, in order: lowercased name and raw value (folding kept), within the limits."""

    fields: list[tuple[str, bytes]]

    def raw(self, name: str) -> bytes | None:
        """The raw value of the first field of this lowercased name, or None."""
        for field_name, value in self.fields:
            if field_name == name:
                return value
        return None

    def all_raw(self, name: str) -> list[bytes]:
        """The raw values of all fields of this lowercased name, topmost first."""
        return [value for field_name, value in self.fields if field_name == name]

    def has(self, name: str) -> bool:
        return any(field_name == name for field_name, _ in self.fields)


@dataclass(slots=True)
class Part:
    """One part of the MIME tree. `start` and `end` bound its body in the raw bytes; a leaf has no children."""

    path: str  # "" for the mail itself, "1", "2.1" below it
    headers: Headers
    type: str  # lowercased "text/plain", the default of RFC 2045 section 5.2 where missing or broken
    params: dict[str, str]  # parameters of Content-Type, decoded (RFC 2231), names lowercased
    disposition: str  # "attachment", "inline", ... or ""
    filename: str  # decoded, cleaned of paths and control characters; "" without one
    encoding: str  # lowercased Content-Transfer-Encoding, "" without one
    start: int
    end: int
    children: list[Part] = field(default_factory=list)

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the mail, without recursion."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))
