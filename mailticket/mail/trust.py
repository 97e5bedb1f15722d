"""What the site's own Authentication-Results (RFC 8601) say of the sender; everybody else's count for nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailticket.mail import headers
from mailticket.mail.address import Address
from mailticket.mail.parts import Headers
from mailticket.mail.values import Ourselves, Sender
from mailticket.text.patterns import lazy_pattern

MICROSOFT365 = "microsoft365"  # writes its header without an authserv-id
_MICROSOFT_HOSTS = ("outlook.com", "office365.com", "exchangelabs.com")
_PAIR = lazy_pattern(r'([A-Za-z0-9._\-]{1,60})(?:\s?/\s?\d{1,3})?\s?=\s?("(?:[^"\\]|\\.){0,1000}"|[^\s;"]{1,1000})')
_ID = lazy_pattern(r'("[^"\\]{1,255}"|[^\s;="]{1,255})(?:\s([0-9]{1,3}))?\s?(?:;|$)')
_HEADLESS = lazy_pattern(r"[A-Za-z0-9._\-]{1,60}(?:\s?/\s?\d{1,3})?\s?=")
_BY = lazy_pattern(rb"\bby\s{1,20}([A-Za-z0-9._:\-\[\]]{1,255})")
_FROM = lazy_pattern(rb"\s{0,20}from\s{1,20}([A-Za-z0-9._:\-\[\]]{1,255})")


@dataclass(frozen=True, slots=True)
class Result:
    """One method's result with its properties ("header.from", "smtp.mailfrom"), names and result lowercased."""

    method: str
    result: str
    properties: dict[str, str]


def judge(part_headers: Headers, sender: Address | None, ourselves: Ourselves) -> tuple[Sender, str]:
    """Whether `sender` is verified, failed or unknown by the rules of the ourselves, and why in words."""
    if sender is None:
        return "unknown", "the mail has no one usable sender"
    if not ourselves.authserv_id:
        return "unknown", "no authserv_id is configured, so no Authentication-Results count"
    results = own_results(part_headers, ourselves)
    if results is None:
        return (
            "unknown",
            f"no Authentication-Results of {ourselves.authserv_id} above what the sender could have written",
        )
    return _verdict(results, sender.domain)


def _verdict(results: list[Result], domain: str) -> tuple[Sender, str]:
    dmarc = [r for r in results if r.method == "dmarc"]
    if any(r.result == "fail" for r in dmarc):
        return "failed", f"dmarc=fail for {domain}"
    for r in dmarc:
        header_from = r.properties.get("header.from")
        if r.result == "pass" and (header_from is None or aligned(_domain(header_from), domain)):
            return "verified", f"dmarc=pass for {domain}"
    for r in results:
        if r.result == "pass" and r.method in _IDENTITIES:
            for name in _IDENTITIES[r.method]:
                if name in r.properties and aligned(_domain(r.properties[name]), domain):
                    return "verified", f"{r.method}=pass aligned with {domain}"
    return "unknown", f"nothing that passed is aligned with {domain}"


_IDENTITIES = {"spf": ("smtp.mailfrom", "smtp.mail"), "dkim": ("header.d", "header.i")}


def aligned(one: str, other: str) -> bool:
    """The same domain, or one a subdomain of the other; labels are never counted. A bare top level never aligns."""
    if "." not in one or "." not in other:
        return bool(one) and one == other
    return one == other or one.endswith("." + other) or other.endswith("." + one)


def _domain(value: str) -> str:
    return Address("", "x@" + value.rpartition("@")[2].strip().rstrip(".")).domain


def own_results(part_headers: Headers, ourselves: Ourselves) -> list[Result] | None:
    """The results of the topmost header of the configured service, or None where there is none to believe.

    A header counts only above the first Received of somebody else: what lies below came with the mail.
    """
    crossed = False
    for name, raw in part_headers.fields:
        if name == "received":
            if crossed or _is_foreign(_BY.search(raw[:4000]), ourselves):
                return None
            crossed = _is_foreign(_FROM.match(raw[:4000]), ourselves)
        elif name == "authentication-results":
            text = _plain(raw)
            if text is None:  # it may be ours, damaged: what stands below it must not take its place
                return None
            results = _of_service(text, ourselves.authserv_id)
            if results is not None:
                return results
    return None


def _is_foreign(host: re.Match[bytes] | None, ourselves: Ourselves) -> bool:
    """Whether a Received names a host of another site; names without a public domain are internal ones."""
    if host is None:
        return False
    name = host[1].decode("ascii").lower().rstrip(".")
    labels = name.split(".")
    if len(labels) < 2 or ":" in name or name.startswith("[") or labels[-1].isdigit():
        return False
    if labels[-1] in ("local", "localdomain", "internal", "lan", "intern", "corp", "home", "arpa"):
        return False
    if ourselves.authserv_id.lower() == MICROSOFT365:
        return not any(aligned(name, own) for own in _MICROSOFT_HOSTS)
    return not any(_same_site(name, own) for own in _own_hosts(ourselves))


def _own_hosts(ourselves: Ourselves) -> list[str]:
    return [ourselves.authserv_id.lower(), *(address.rpartition("@")[2] for address in ourselves.own_addresses)]


def _same_site(name: str, own: str) -> bool:
    """Aligned, or a neighbour ("mx1.example.com" of "mx2.example.com"): for the order of hops, never for identity."""
    parent = own.partition(".")[2]
    return aligned(name, own) or (parent.count(".") >= 1 and name.endswith("." + parent))


def _plain(raw: bytes) -> str | None:
    """The header without comments, blanks single; None where a comment or a quote never ends."""
    text = headers.unfold(raw).decode("utf_8", "replace")
    out: list[str] = []
    depth, quoted, at = 0, False, 0
    while at < len(text):
        char = text[at]
        if char == "\\" and (quoted or depth):
            out.append(text[at : at + 2] if quoted else "")
            at += 2
            continue
        if quoted:
            quoted = char != '"'
            out.append(char)
        elif char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
            out.append(" ")
        elif not depth:
            quoted = char == '"'
            out.append(char)
        at += 1
    return None if depth or quoted else " ".join("".join(out).split())


def _of_service(text: str, authserv_id: str) -> list[Result] | None:
    """The results, if the header is of this service: exactly its id, and version 1 or none."""
    headless = _HEADLESS.match(text)
    if authserv_id.lower() == MICROSOFT365:
        return _results(text) if headless else None
    match = None if headless else _ID.match(text)
    if not match or match[1].strip('"').lower() != authserv_id.lower() or match[2] not in (None, "1"):
        return None
    return _results(text[match.end() :])


def _results(text: str) -> list[Result]:
    """The methods between semicolons outside quotes; the first pair of each is method and result."""
    results: list[Result] = []
    for segment in _SEGMENT.findall(text):
        pairs = [(name.lower(), _unquoted(value)) for name, value in _PAIR.findall(segment)]
        if pairs and _HEADLESS.match(segment.strip()):
            (method, result), *properties = pairs
            first_wins = dict(reversed(properties))
            results.append(Result(method, result.lower(), first_wins))
    return results


_SEGMENT = lazy_pattern(r'(?:[^;"]|"(?:[^"\\]|\\.)*")+')


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
