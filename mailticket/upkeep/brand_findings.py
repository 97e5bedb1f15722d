"""What `check` says of several names: addresses that none of them serves, and what is left of names that are gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from mailticket.mail.address import address_key
from mailticket.settings import FIRST_NAME, Settings, serving, untagged
from mailticket.store import Session, overview
from mailticket.text.clean import counted
from mailticket.upkeep.readiness import Finding

_MOST_NAMED = 5


def brand_findings(session: Session, settings: Settings, now: datetime, since: datetime) -> Iterator[Finding]:
    """Notes; nothing where [support] is the only name and always was. since: how far back mail is looked at."""
    yield from _given_up(settings, overview.senders(session))
    if settings.brand:
        yield from _unserved(settings, overview.recipients_of_requests(session, since))
    names = {"", *(brand.name for brand in settings.brand)}
    for name, figures in sorted(overview.by_brand(session, now).items()):
        if name not in names:
            many = counted(figures.unfinished, "ticket is", "tickets are")
            yield Finding(
                "note", f"brand {name}", f"{many} open and there is no such [[brand]] any more: letters leave as "
                f"{settings.support.address}", f"mailticket ticket list --brand {name}; or bring the table back",
            )  # fmt: skip


def _given_up(settings: Settings, senders: Iterable[tuple[str, datetime]]) -> Iterator[Finding]:
    """Addresses from which letters left, and that the configuration no longer names."""
    own = settings.own_addresses
    strangers = [(address, at) for address, at in senders if serving(address, own) is None]
    if not strangers:
        return
    names = ", ".join(f"{address} (the last on {at.astimezone():%Y-%m-%d})" for address, at in strangers)
    former = ", ".join(f'"{one}"' for one in (*settings.support.former_addresses, *(one for one, _ in strangers)))
    yield Finding(
        "note", "former addresses", f"letters left from {names}, which the configuration names no more: mail to such "
        "an address is not known as mail to us, and mail from it counts as a requester's",
        f"write into [support]: former_addresses = [{former}]",
    )  # fmt: skip


def _unserved(settings: Settings, requests: Iterable[tuple[str, str, str]]) -> Iterator[Finding]:
    """Addresses in a brand's domain by which mail came that was answered under another name only for want of a better
    one: neither To nor Cc names an address that we serve."""
    served = settings.served
    owners: dict[str, set[str]] = {}
    for address, brand in served.items():
        owners.setdefault(address.rpartition("@")[2], set()).add(brand)
    ours = {domain for domain, brands in owners.items() if brands != {""}}
    people = {*settings.never_blocked, *(address.lower() for address in (*settings.alerts.to, *settings.reports.to))}
    numbers: Counter[tuple[str, str]] = Counter()
    for to, cc, brand in requests:
        named = [address_key(one.strip()) for one in f"{to},{cc}".split(",") if one.strip()]
        if any(serving(one, served) for one in named):
            continue
        for one in dict.fromkeys(map(untagged, named)):
            domain = one.rpartition("@")[2]
            chosen = brand in owners.get(domain, ()) and (brand or len(owners[domain]) == 1)
            if domain in ours and one not in people and not chosen:
                numbers[one, brand] += 1
    for (address, brand), number in numbers.most_common(_MOST_NAMED):
        many = counted(number, "request")
        yield Finding(
            "note", "addresses", f"{many} of the last days went to {address}, which no name serves, and "
            f"{'was' if number == 1 else 'were'} answered as {brand or FIRST_NAME}",
            "write it into addresses of its [[brand]], or into former_addresses of [support]",
        )  # fmt: skip
