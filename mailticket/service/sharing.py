"""Who collects which mailbox: a rule that each host applies to itself, and that gives all of them the same result."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

Offers = Mapping[int, Set[str]]  # what each host would collect, by its number
Holders = Mapping[str, int]  # the host of each mailbox that is held


@dataclass(frozen=True)
class Moves:
    """What a host takes now, and what it gives back."""

    take: tuple[str, ...] = ()
    give: tuple[str, ...] = ()


def moves(me: int, offers: Offers, holders: Holders) -> Moves:
    """What the host `me` does next. Free mailboxes go to whoever holds fewest of those that offer to collect them; what
    is held moves only to one that holds at least two fewer, one at a time and while nothing is free."""
    mine = sorted(mailbox for mailbox, host in holders.items() if host == me)
    unwanted = tuple(mailbox for mailbox in mine if mailbox not in offers.get(me, ()))
    loads = {host: sum(holder == host for holder in holders.values()) for host in offers}
    free = {mailbox for wanted in offers.values() for mailbox in wanted} - set(holders)
    if free or unwanted:
        return Moves(_shares(loads, offers, free).get(me, ()), unwanted)
    return Moves(give=_one_too_many(me, mine, loads, offers))


def _shares(loads: dict[int, int], offers: Offers, free: Set[str]) -> dict[int, tuple[str, ...]]:
    """Free mailboxes by the host that takes each: first those that the fewest hosts would collect."""
    shares: dict[int, tuple[str, ...]] = {}
    takers = {mailbox: [host for host in offers if mailbox in offers[host]] for mailbox in free}
    for mailbox in sorted(free, key=lambda mailbox: (len(takers[mailbox]), mailbox)):
        taker = min(takers[mailbox], key=lambda host: (loads[host], host))
        loads[taker] += 1
        shares[taker] = (*shares.get(taker, ()), mailbox)
    return shares


def _one_too_many(me: int, mine: list[str], loads: dict[int, int], offers: Offers) -> tuple[str, ...]:
    for mailbox in reversed(mine):
        if any(mailbox in offers[host] and loads[host] <= loads[me] - 2 for host in offers if host != me):
            return (mailbox,)
    return ()
