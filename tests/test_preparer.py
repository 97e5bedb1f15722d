"""The second process: what it prepares, and what becomes of its borrower when it is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from mailticket.intake.prepare import Failure, Prepared, RawMail, prepare
from mailticket.intake.preparer import Preparer, PreparerLost
from mailticket.mail.values import Ourselves
from mailticket.settings import Settings
from mailticket.triage.brief import Brief, brief
from tests.e2e import post
from tests.servers.machine import until

UNREADABLE: Any = (None, True)  # what no reader can read, however tolerant


@pytest.fixture
def told() -> Brief:
    settings = Settings.model_validate({
        "support": {"name": "Example Support", "address": "support@example.com"},
        "smtp": {"host": "127.0.0.1", "port": 25, "security": "none"},
    })  # fmt: skip
    return brief(settings.support, (), Ourselves(own_addresses=settings.own_addresses), (b"k" * 32,))


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})  # with one processor there is none
    made: list[Preparer] = []

    def make(told: Brief, **options: float) -> Preparer:
        preparer = Preparer(**options)
        made.append(preparer)
        until(lambda: is_there(preparer, told), "the second process")
        return preparer

    yield make
    for preparer in made:
        preparer.close()
        assert preparer.pid is None


def is_there(preparer: Preparer, told: Brief) -> bool:
    preparer.wanted(told)
    with preparer.lent(told) as loan:
        return loan is not None


def batches() -> list[list[RawMail]]:
    mails = [(raw, number != 2) for number, raw in enumerate(post.requests(5))]
    return [mails[:2], mails[2:3], mails[3:]]


def ask(preparer: Preparer, told: Brief, questions: list[list[RawMail]]) -> list[Any]:
    with preparer.lent(told) as loan:
        assert loan is not None
        return [answer for answers in loan.by_turns(questions) for answer in answers]


def test_it_prepares_in_order_what_this_process_would_have_prepared(make: Any, told: Brief) -> None:
    preparer, questions = make(told), batches()
    here = [prepare(raw, complete, told) for batch in questions for raw, complete in batch]
    assert ask(preparer, told, questions) == here
    assert ask(preparer, told, questions[:1]) == here[:2]
    assert [one.packed.complete for one in here] == [True, True, False, True, True]


def test_a_mail_that_cannot_be_read_is_said_and_the_others_are_prepared(make: Any, told: Brief) -> None:
    [good, _], *_ = batches()
    first, second, third = ask(make(told), told, [[good, UNREADABLE], [good]])
    assert isinstance(first, Prepared)
    assert isinstance(third, Prepared)
    assert second == Failure("AttributeError")


def test_whoever_borrows_it_when_it_dies_is_told_and_the_next_has_a_new_one(make: Any, told: Brief) -> None:
    preparer, questions = make(told), batches()
    with preparer.lent(told) as loan:
        turns = loan.by_turns(questions)
        assert len(next(turns)) == 2
        os.kill(preparer.pid, signal.SIGKILL)
        with pytest.raises(PreparerLost):
            for _ in turns:
                pass
    with preparer.lent(told) as loan:
        assert loan is None
    until(lambda: is_there(preparer, told), "a new process")
    assert len(ask(preparer, told, questions)) == 5


def test_one_that_does_not_answer_is_given_up(make: Any, told: Brief) -> None:
    preparer = make(told, patience=0.3)
    stopped = preparer.pid
    os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(PreparerLost, match="nothing came"):
        ask(preparer, told, batches())
    assert preparer.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)


def test_it_is_lent_to_one_at_a_time(make: Any, told: Brief) -> None:
    preparer = make(told)
    with preparer.lent(told) as first, preparer.lent(told) as second:
        assert first is not None
        assert second is None


def test_a_borrower_that_leaves_early_leaves_no_answer_behind(make: Any, told: Brief) -> None:
    preparer, questions = make(told), batches()
    with preparer.lent(told) as loan:
        next(loan.by_turns(questions))
    assert preparer.pid is None
    until(lambda: is_there(preparer, told), "a new process")
    assert len(ask(preparer, told, questions[:1])) == 2


def test_another_configuration_needs_another_process(make: Any, told: Brief) -> None:
    preparer = make(told)
    before = preparer.pid
    changed = brief(told.support, (), told.ourselves, (b"n" * 32, *told.keys))
    with preparer.lent(changed) as loan:
        assert loan is None
    until(lambda: is_there(preparer, changed), "a process with the new key")
    assert preparer.pid != before


def test_it_ends_by_itself_when_nothing_comes(make: Any, told: Brief) -> None:
    preparer = make(told, idle_seconds=0.2)

    def is_gone() -> bool:
        preparer.tidy()
        return preparer.pid is None

    until(is_gone, "the process to end")


def test_it_outlives_the_signals_that_are_meant_for_its_owner(make: Any, told: Brief) -> None:
    preparer = make(told)
    for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(preparer.pid, sent)
    assert len(ask(preparer, told, batches())) == 5


def test_a_machine_with_one_processor_does_without(monkeypatch: pytest.MonkeyPatch, told: Brief) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    preparer = Preparer()
    preparer.wanted(told)
    assert preparer.pid is None


def test_a_chunk_is_answered_whole_whatever_happens_to_the_process(make: Any, told: Brief) -> None:
    mails: list[RawMail] = [(raw, True) for raw in post.requests(30)]
    here = [prepare(raw, complete, told) for raw, complete in mails]
    preparer = make(told)
    assert [one for batch in preparer.prepared(mails, told) for one in batch] == here
    until(lambda: is_there(preparer, told), "the process")
    batches = preparer.prepared(mails, told)
    found = next(batches)
    os.kill(preparer.pid, signal.SIGKILL)
    found += [one for batch in batches for one in batch]
    lost = [number for number, one in enumerate(found) if one == Failure("the second process was lost: it ended")]
    assert len(lost) in (0, 6, 10)  # the batch in hand; it may have been answered before
    assert [one for number, one in enumerate(found) if number not in lost] == [
        one for number, one in enumerate(here) if number not in lost
    ]
    assert [one for batch in preparer.prepared(mails, told) for one in batch] == here  # without it
