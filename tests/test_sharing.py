"""Which host takes which mailbox: evenly, without end to nothing, and never two at once."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.service.sharing import Moves, moves

MAILBOXES = tuple("abcdef")
OFFERS = st.dictionaries(st.integers(1, 5), st.sets(st.sampled_from(MAILBOXES)), min_size=1)


def play(offers: dict[int, set[str]], holders: dict[str, int], dice: random.Random) -> int:
    """Rounds until nobody moves, each host at its own time; what is given is free before anybody takes it."""
    for number in range(100):
        moved = False
        for host in dice.sample(sorted(offers), len(offers)):
            move = moves(host, offers, holders)
            moved |= move != Moves()
            for mailbox in move.give:
                assert holders.pop(mailbox) == host
            for mailbox in move.take:
                assert mailbox in offers[host]
                assert holders.setdefault(mailbox, host) == host
        if not moved:
            return number
    raise AssertionError(f"no end to {offers}: {holders}")


@given(OFFERS, st.dictionaries(st.sampled_from(MAILBOXES), st.integers(1, 5)), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_mailboxes_come_to_rest_with_hosts_that_would_collect_them(
    offers: dict[int, set[str]], holders: dict[str, int], dice: random.Random
) -> None:
    holders = {mailbox: host for mailbox, host in holders.items() if host in offers}
    rounds = play(offers, holders, dice)
    assert set(holders) == set().union(*offers.values())
    assert all(mailbox in offers[host] for mailbox, host in holders.items())
    assert rounds <= 2 * len(MAILBOXES) + 2
    loads = {host: sum(holder == host for holder in holders.values()) for host in offers}
    for mailbox, host in holders.items():
        assert all(loads[other] >= loads[host] - 1 for other in offers if mailbox in offers[other])


@given(st.integers(1, 5), st.integers(0, 6), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_hosts_alike_hold_as_many_but_for_one(hosts: int, mailboxes: int, dice: random.Random) -> None:
    offers = {host: set(MAILBOXES[:mailboxes]) for host in range(1, hosts + 1)}
    holders = dict.fromkeys(MAILBOXES[:mailboxes], 1)
    play(offers, holders, dice)
    loads = [sum(holder == host for holder in holders.values()) for host in offers]
    assert max(loads) - min(loads) <= 1


def test_one_look_gives_each_free_mailbox_to_one_host() -> None:
    offers = {1: {"a", "b"}, 2: {"a", "b"}, 3: {"b"}}
    taken = [mailbox for host in offers for mailbox in moves(host, offers, {}).take]
    assert sorted(taken) == ["a", "b"]


def test_what_is_not_to_be_collected_here_is_given_back_at_once() -> None:
    assert moves(1, {1: {"a"}, 2: {"a", "b"}}, {"a": 1, "b": 1}) == Moves(give=("b",))


def test_a_difference_of_one_moves_nothing() -> None:
    assert moves(1, {1: {"a", "b"}, 2: {"a", "b"}}, {"a": 1, "b": 1}) == Moves(give=("b",))
    offers = {1: {"a", "b", "c"}, 2: {"a", "b", "c"}}
    assert moves(1, offers, {"a": 1, "b": 1, "c": 2}) == moves(2, offers, {"a": 1, "b": 1, "c": 2}) == Moves()
