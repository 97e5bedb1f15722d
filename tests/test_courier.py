"""Delivery to a real SMTP server that refuses, drops and stalls in every phase (faults 6 to 15)."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from mailticket import settings
from mailticket.errors import ConfigurationError, StoreUnavailable, WorldError
from mailticket.smtp import Courier, Outcome, pool
from tests.servers.certificate import make_certificate
from tests.servers.machine import free_port
from tests.servers.smtp import DROP, DROP_KEPT, PASSWORD, STALL, USERNAME, SmtpSink

T = TypeVar("T")

MAIL = b"Subject: a\r\n\r\n.dot\r\nb\r\n"
ANN, SUPPORT = "ann@example.org", "support@example.com"


def smtp(sink: SmtpSink, **keys: Any) -> settings.Smtp:
    given = {"host": "127.0.0.1", "port": sink.port, "security": "none", "timeout_seconds": 10, **keys}
    return settings.Smtp.model_validate(given)


def password() -> str:
    return PASSWORD


class Books:
    """Notes when the courier says that the data begin."""

    def __init__(self) -> None:
        self.begun = 0

    async def before_data(self) -> None:
        self.begun += 1


def with_courier(
    given: settings.Smtp, work: Callable[[Courier], Awaitable[T]], secret: Callable[[], str] = password
) -> T:
    async def run() -> T:
        courier = Courier(given, secret)
        try:
            return await work(courier)
        finally:
            await courier.close()

    return asyncio.run(run())


def deliver(given: settings.Smtp, books: Books | None = None, **keys: Any) -> Outcome:
    async def work(courier: Courier) -> Outcome:
        return await courier.deliver(SUPPORT, ANN, MAIL, (books or Books()).before_data, **keys)

    return with_courier(given, work)


def in_the_background(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    return asyncio.get_running_loop().create_task(work)


async def reached(sink: SmtpSink, stage: str, count: int = 1) -> None:
    await asyncio.to_thread(sink.wait_for_command, stage, count)


# --- what arrives -----------------------------------------------------------------------------------------------------


def test_copies_go_in_the_same_envelope_and_a_refused_one_keeps_nobody_from_the_mail(smtp_sink: SmtpSink) -> None:
    smtp_sink.for_recipient("eve@example.org", "550 5.1.1 no such user")
    outcome = deliver(smtp(smtp_sink), copies=("bob@example.org", "eve@example.org", "law@example.org"))
    (mail,) = smtp_sink.accepted
    assert (outcome.kind, outcome.refused) == ("sent", ("eve@example.org: 550 5.1.1 no such user",))
    assert mail.recipients == (ANN, "bob@example.org", "law@example.org")


def test_a_refused_recipient_ends_the_attempt_whatever_copies_there_are(smtp_sink: SmtpSink) -> None:
    smtp_sink.for_recipient(ANN, "550 5.1.1 no such user")
    outcome = deliver(smtp(smtp_sink), copies=("bob@example.org",))
    assert (outcome.kind, outcome.phase, smtp_sink.accepted) == ("permanent", "recipient", [])


def test_a_mail_arrives_as_it_was_given_and_the_books_are_told_once(smtp_sink: SmtpSink) -> None:
    books = Books()
    outcome = deliver(smtp(smtp_sink), books)
    (mail,) = smtp_sink.accepted
    assert (outcome.kind, outcome.phase, outcome.code, outcome.status) == ("sent", "message", 250, "2.0.0")
    assert (mail.sender, mail.recipients, mail.raw) == (SUPPORT, (ANN,), MAIL)
    assert books.begun == 1


def test_an_automatic_mail_can_go_out_with_the_null_sender(smtp_sink: SmtpSink) -> None:
    async def work(courier: Courier) -> Outcome:
        return await courier.deliver("", ANN, MAIL, Books().before_data)

    assert with_courier(smtp(smtp_sink), work).kind == "sent"
    assert smtp_sink.accepted[0].sender == "<>"  # aiosmtpd's way to say so


def test_an_address_outside_ascii_goes_out_where_the_server_can_take_it(smtp_sink: SmtpSink) -> None:
    async def work(courier: Courier) -> Outcome:
        return await courier.deliver(SUPPORT, "用户@example.cn", MAIL, Books().before_data)

    assert with_courier(smtp(smtp_sink), work).kind == "sent"
    assert smtp_sink.accepted[0].recipients == ("用户@example.cn",)


def test_an_address_that_would_inject_a_command_is_never_written(smtp_sink: SmtpSink) -> None:
    async def work(courier: Courier) -> Outcome:
        return await courier.deliver(SUPPORT, "ann@example.org>\r\nRCPT TO:<b@example.org", MAIL, Books().before_data)

    assert with_courier(smtp(smtp_sink), work).kind == "permanent"
    assert "RCPT" not in smtp_sink.commands


# --- one fault in one phase -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "reply", "kind", "phase", "begun"),
    [
        ("CONNECT", "421 4.3.2 too busy", "retry", "connect", 0),
        ("CONNECT", "554 5.7.1 no", "configuration", "connect", 0),
        ("CONNECT", DROP, "retry", "connect", 0),
        ("EHLO", "421 4.3.2 bye", "retry", "hello", 0),
        ("EHLO", DROP, "retry", "hello", 0),
        ("MAIL", "451 4.3.0 later", "retry", "sender", 0),
        ("MAIL", "553 5.7.1 not your address", "configuration", "sender", 0),
        ("MAIL", "552 5.3.4 too big", "permanent", "sender", 0),
        ("MAIL", DROP, "retry", "sender", 0),
        ("RCPT", "450 4.7.1 greylisted", "retry", "recipient", 0),
        ("RCPT", "550 5.1.1 no such user", "permanent", "recipient", 0),
        ("RCPT", "421 4.3.2 bye", "retry", "recipient", 0),
        ("RCPT", DROP, "retry", "recipient", 0),
        ("DATA", "451 4.3.0 later", "retry", "data", 1),
        ("DATA", "554 5.5.1 no", "permanent", "data", 1),
        ("DATA", DROP, "retry", "data", 1),
        ("DOT", "452 4.3.1 disk full", "retry", "message", 1),
        ("DOT", "554 5.7.1 spam", "permanent", "message", 1),
        ("DOT", DROP, "uncertain", "message", 1),
        ("DOT", DROP_KEPT, "uncertain", "message", 1),
    ],
)
def test_a_fault_has_the_outcome(
    smtp_sink: SmtpSink, stage: str, reply: str, kind: str, phase: str, begun: int
) -> None:
    smtp_sink.always(stage, reply)
    books = Books()
    outcome = deliver(smtp(smtp_sink), books)
    assert (outcome.kind, outcome.phase, books.begun) == (kind, phase, begun)
    assert len(smtp_sink.accepted) == (reply == DROP_KEPT)


def test_the_code_status_and_words_of_a_refusal_are_kept(smtp_sink: SmtpSink) -> None:
    smtp_sink.next("RCPT", "550 5.1.1 <ann@example.org> no such user")
    outcome = deliver(smtp(smtp_sink))
    assert (outcome.code, outcome.status, outcome.text) == (550, "5.1.1", "<ann@example.org> no such user")


def test_a_server_that_is_away_means_later() -> None:
    given = settings.Smtp(host="127.0.0.1", port=free_port(), security="none")
    outcome = deliver(given)
    assert (outcome.kind, outcome.phase, outcome.about_the_server) == ("retry", "connect", True)


@pytest.mark.parametrize(
    ("stage", "kind"), [("CONNECT", "retry"), ("MAIL", "retry"), ("RCPT", "retry"), ("DATA", "retry")]
)
def test_a_server_that_falls_silent_is_left_after_the_phase_s_time(smtp_sink: SmtpSink, stage: str, kind: str) -> None:
    smtp_sink.always(stage, STALL)
    quick = smtp(smtp_sink).model_copy(update={"timeout_seconds": 0.2})
    outcome = deliver(quick)
    assert outcome.kind == kind
    assert not smtp_sink.accepted
    smtp_sink.release()


def test_after_the_final_dot_the_longer_time_is_allowed_and_then_the_outcome_is_uncertain(smtp_sink: SmtpSink) -> None:
    smtp_sink.always("DOT", STALL)
    quick = smtp(smtp_sink).model_copy(update={"data_timeout_seconds": 0.2})
    outcome = deliver(quick)
    assert (outcome.kind, outcome.phase) == ("uncertain", "message")
    smtp_sink.release()


def test_a_reply_after_the_final_dot_may_take_longer_than_any_other(smtp_sink: SmtpSink) -> None:
    smtp_sink.next("DOT", STALL)
    impatient = smtp(smtp_sink).model_copy(update={"timeout_seconds": 0.3})

    async def work(courier: Courier) -> Outcome:
        delivery = in_the_background(courier.deliver(SUPPORT, ANN, MAIL, Books().before_data))
        await reached(smtp_sink, "DOT")
        await asyncio.sleep(0.5)
        smtp_sink.release()
        return await delivery

    assert with_courier(impatient, work).kind == "sent"


# --- the books --------------------------------------------------------------------------------------------------------


def test_when_the_books_cannot_be_kept_no_byte_of_the_mail_leaves(smtp_sink: SmtpSink) -> None:
    async def disk_full() -> None:
        raise StoreUnavailable("disk full")

    async def work(courier: Courier) -> None:
        await courier.deliver(SUPPORT, ANN, MAIL, disk_full)

    with pytest.raises(StoreUnavailable):
        with_courier(smtp(smtp_sink), work)
    assert "DATA" not in smtp_sink.commands
    assert not smtp_sink.accepted


def test_the_data_begin_only_after_the_books_are_written(smtp_sink: SmtpSink) -> None:
    async def work(courier: Courier) -> list[str]:
        writing, written = asyncio.Event(), asyncio.Event()

        async def before_data() -> None:
            writing.set()
            await written.wait()

        delivery = in_the_background(courier.deliver(SUPPORT, ANN, MAIL, before_data))
        await writing.wait()
        seen_before = list(smtp_sink.commands)
        written.set()
        await delivery
        return seen_before

    assert with_courier(smtp(smtp_sink), work)[-1] == "RCPT"
    assert len(smtp_sink.accepted) == 1


# --- cancellation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT"])
def test_after_a_cancelled_delivery_the_next_one_is_sound(smtp_sink: SmtpSink, stage: str) -> None:
    async def work(courier: Courier) -> Outcome:
        smtp_sink.next(stage, STALL)
        delivery = in_the_background(courier.deliver(SUPPORT, "first@example.org", MAIL, Books().before_data))
        await reached(smtp_sink, stage)
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery
        smtp_sink.release()
        return await courier.deliver(SUPPORT, "second@example.org", MAIL, Books().before_data)

    outcome = with_courier(smtp(smtp_sink, connections=1), work)
    assert outcome.kind == "sent"
    assert "second@example.org" in smtp_sink.recipients()
    assert smtp_sink.connections == 2


# --- connections ------------------------------------------------------------------------------------------------------


def test_one_connection_serves_many_mails(smtp_sink: SmtpSink) -> None:
    async def work(courier: Courier) -> None:
        for number in range(5):
            await courier.deliver(SUPPORT, f"r{number}@example.org", MAIL, Books().before_data)

    with_courier(smtp(smtp_sink), work)
    assert smtp_sink.recipients() == [f"r{n}@example.org" for n in range(5)]
    assert smtp_sink.connections == 1


@pytest.mark.parametrize(
    ("stage", "reply"), [("RCPT", "550 5.1.1 no"), ("RCPT", "450 4.7.1 grey"), ("DATA", "451 no"), ("DOT", "554 spam")]
)
def test_a_refused_mail_leaves_the_connection_good_for_the_next(smtp_sink: SmtpSink, stage: str, reply: str) -> None:
    async def work(courier: Courier) -> Outcome:
        smtp_sink.next(stage, reply)
        await courier.deliver(SUPPORT, "refused@example.org", MAIL, Books().before_data)
        return await courier.deliver(SUPPORT, ANN, MAIL, Books().before_data)

    assert with_courier(smtp(smtp_sink), work).kind == "sent"
    assert smtp_sink.recipients() == [ANN]
    assert smtp_sink.connections == 1


def test_never_more_connections_than_configured(smtp_sink: SmtpSink) -> None:
    async def work(courier: Courier) -> None:
        await asyncio.gather(
            *(courier.deliver(SUPPORT, f"r{n}@example.org", MAIL, Books().before_data) for n in range(12))
        )

    with_courier(smtp(smtp_sink, connections=3), work)
    assert sorted(smtp_sink.recipients()) == sorted(f"r{n}@example.org" for n in range(12))
    assert smtp_sink.connections == 3


def test_a_connection_that_the_server_closed_meanwhile_costs_the_mail_no_attempt(smtp_sink: SmtpSink) -> None:
    async def work(courier: Courier) -> tuple[Outcome, int]:
        books = Books()
        await courier.deliver(SUPPORT, "first@example.org", MAIL, Books().before_data)
        await asyncio.to_thread(smtp_sink.stop)
        await asyncio.to_thread(smtp_sink.start)
        return await courier.deliver(SUPPORT, ANN, MAIL, books.before_data), books.begun

    outcome, begun = with_courier(smtp(smtp_sink), work)
    assert (outcome.kind, begun) == ("sent", 1)


@pytest.mark.parametrize("reply", ["421 4.4.2 idle for too long", DROP])
def test_a_kept_connection_that_dies_at_the_first_command_is_replaced(smtp_sink: SmtpSink, reply: str) -> None:
    async def work(courier: Courier) -> Outcome:
        await courier.deliver(SUPPORT, "first@example.org", MAIL, Books().before_data)
        smtp_sink.next("MAIL", reply)
        return await courier.deliver(SUPPORT, ANN, MAIL, Books().before_data)

    assert with_courier(smtp(smtp_sink), work).kind == "sent"
    assert smtp_sink.connections == 2


@pytest.mark.parametrize(("reply", "copies"), [(DROP, 0), (DROP_KEPT, 1), ("421 4.3.2 going down", 0)])
def test_a_kept_connection_that_dies_after_the_data_sends_nothing_twice(
    smtp_sink: SmtpSink, reply: str, copies: int
) -> None:
    async def work(courier: Courier) -> Outcome:
        await courier.deliver(SUPPORT, "first@example.org", MAIL, Books().before_data)
        smtp_sink.next("DOT", reply)
        return await courier.deliver(SUPPORT, ANN, MAIL, Books().before_data)

    outcome = with_courier(smtp(smtp_sink), work)
    assert (outcome.kind, outcome.phase) == ("retry" if outcome.code else "uncertain", "message")
    assert smtp_sink.recipients() == ["first@example.org"] + [ANN] * copies
    assert smtp_sink.commands.count("DOT") == 2


def test_a_connection_that_was_idle_for_too_long_is_not_trusted_with_a_mail(
    smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(courier: Courier) -> Outcome:
        await courier.deliver(SUPPORT, "first@example.org", MAIL, Books().before_data)
        monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)  # before its sweep comes
        return await courier.deliver(SUPPORT, ANN, MAIL, Books().before_data)

    assert with_courier(smtp(smtp_sink), work).kind == "sent"
    assert [mail.connection for mail in smtp_sink.accepted] == [1, 2]


def test_a_connection_is_given_up_after_so_many_mails(smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MAILS_A_CONNECTION", 2)

    async def work(courier: Courier) -> None:
        for number in range(5):
            await courier.deliver(SUPPORT, f"r{number}@example.org", MAIL, Books().before_data)

    with_courier(smtp(smtp_sink), work)
    assert [mail.connection for mail in smtp_sink.accepted] == [1, 1, 2, 2, 3]


def test_an_idle_connection_is_ended_by_us(smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.1)

    async def work(courier: Courier) -> Outcome:
        await courier.deliver(SUPPORT, "first@example.org", MAIL, Books().before_data)
        for _ in range(100):
            if not courier._idle and not courier._farewells:
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("the idle connection stayed open")
        return await courier.deliver(SUPPORT, ANN, MAIL, Books().before_data)

    assert with_courier(smtp(smtp_sink), work).kind == "sent"
    assert smtp_sink.connections == 2


# --- sign-in ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def guarded() -> Iterator[SmtpSink]:
    sink = SmtpSink(sign_in=True)
    yield sink
    sink.stop()


def test_the_password_is_asked_for_outside_the_loop_and_only_when_connecting(guarded: SmtpSink) -> None:
    askers: list[threading.Thread] = []

    def secret() -> str:
        askers.append(threading.current_thread())
        return PASSWORD

    async def work(courier: Courier) -> list[str]:
        return [(await courier.deliver(SUPPORT, ANN, MAIL, Books().before_data)).kind for _ in range(3)]

    assert with_courier(smtp(guarded, username=USERNAME), work, secret) == ["sent"] * 3
    assert len(askers) == 1
    assert askers[0] is not threading.main_thread()


def test_a_wrong_password_stops_the_queue_after_a_single_try(guarded: SmtpSink) -> None:
    async def work(courier: Courier) -> Outcome:
        return await courier.deliver(SUPPORT, ANN, MAIL, Books().before_data)

    outcome = with_courier(smtp(guarded, username=USERNAME), work, lambda: "wrong")
    assert (outcome.kind, outcome.phase, outcome.code) == ("configuration", "sign-in", 535)
    assert guarded.commands.count("AUTH") == 1
    assert "wrong" not in outcome.text


def test_connections_that_waited_while_a_password_was_refused_do_not_try_it_too(guarded: SmtpSink) -> None:
    """Refusals lock accounts."""

    async def work(courier: Courier) -> list[Outcome]:
        return await asyncio.gather(*(courier.deliver(SUPPORT, ANN, MAIL, Books().before_data) for _ in range(3)))

    outcomes = with_courier(smtp(guarded, username=USERNAME, connections=3), work, lambda: "wrong")
    assert {(outcome.kind, outcome.phase, outcome.code) for outcome in outcomes} == {("configuration", "sign-in", 535)}
    assert guarded.commands.count("AUTH") == 1


def test_a_server_that_wants_a_sign_in_stops_the_queue_rather_than_burn_mails(guarded: SmtpSink) -> None:
    assert deliver(smtp(guarded)).kind == "configuration"


def test_a_server_without_sign_in_when_one_is_configured_stops_the_queue(smtp_sink: SmtpSink) -> None:
    outcome = deliver(smtp(smtp_sink, username=USERNAME, oauth2_token_command=["token"]))
    assert (outcome.kind, outcome.phase) == ("configuration", "sign-in")
    assert "xoauth2" in outcome.text


@pytest.mark.parametrize(
    ("error", "kind"),
    [(ConfigurationError(["no password file"]), "configuration"), (WorldError("token command failed"), "retry")],
)
def test_a_missing_password_stops_the_queue_and_a_missing_token_only_delays_it(
    guarded: SmtpSink, error: Exception, kind: str
) -> None:
    def secret() -> str:
        raise error

    async def work(courier: Courier) -> Outcome:
        return await courier.deliver(SUPPORT, ANN, MAIL, Books().before_data)

    outcome = with_courier(smtp(guarded, username=USERNAME), work, secret)
    assert (outcome.kind, outcome.phase) == (kind, "sign-in")


@pytest.mark.parametrize(
    ("reply", "ended"),
    [("235 2.7.0 accepted", "sender"), ("334 eyJzdGF0dXMiOiI0MDEifQ==", "sign-in")],
)
def test_an_access_token_goes_out_as_xoauth2(smtp_sink: SmtpSink, reply: str, ended: str) -> None:
    # aiosmtpd knows no XOAUTH2: the server's part of the dialogue comes from the script.
    smtp_sink.next("MAIL", "451 4.3.0 far enough")
    smtp_sink.next("EHLO", "250-sink.example\r\n250 AUTH XOAUTH2")
    smtp_sink.next("AUTH", reply)
    assert deliver(smtp(smtp_sink, username=USERNAME, oauth2_token_command=["token"])).phase == ended
    assert smtp_sink.commands.count("AUTH") == 1


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(params=["tls", "starttls"])
def encrypted(request: pytest.FixtureRequest, certificate: tuple[Path, Path]) -> Iterator[SmtpSink]:
    sink = SmtpSink(security=request.param, certificate=(str(certificate[0]), str(certificate[1])), sign_in=True)
    sink.kind = request.param  # type: ignore[attr-defined]
    yield sink
    sink.stop()


def test_a_mail_goes_out_encrypted_to_a_server_whose_certificate_is_good(
    encrypted: SmtpSink, certificate: tuple[Path, Path]
) -> None:
    given = smtp(encrypted, security=encrypted.kind, ca_file=certificate[0], username=USERNAME)  # type: ignore[attr-defined]
    assert deliver(given).kind == "sent"


def test_a_server_that_does_not_take_leave_of_tls_leaves_no_connection_behind(
    certificate: tuple[Path, Path], recwarn: pytest.WarningsRecorder
) -> None:
    """It answers QUIT and does nothing then. asyncio waits half a minute for such a one, or drops what is open."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    done = threading.Event()

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as line:
            line.sendall(b"220 hello\r\n")
            for response in (b"250 hello\r\n", b"221 goodbye\r\n"):
                line.recv(1024)
                line.sendall(response)
            done.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,), daemon=True)
        server.start()
        given = {"host": "127.0.0.1", "port": listener.getsockname()[1], "security": "tls", "ca_file": certificate[0]}
        assert asyncio.run(Courier(settings.Smtp.model_validate(given), password).probe()) is None
        with warnings.catch_warnings():
            warnings.simplefilter("always", ResourceWarning)
            gc.collect()
        done.set()
        server.join(30)
    assert not [str(warning.message) for warning in recwarn]


def test_a_certificate_that_nobody_vouches_for_stops_the_queue_before_the_password_leaves(encrypted: SmtpSink) -> None:
    outcome = deliver(smtp(encrypted, security=encrypted.kind, username=USERNAME))  # type: ignore[attr-defined]
    assert (outcome.kind, outcome.phase) == ("configuration", "tls")
    assert "AUTH" not in encrypted.commands


def test_a_certificate_for_another_name_stops_the_queue(tmp_path: Path) -> None:
    files = make_certificate(tmp_path, "DNS:other.example")
    sink = SmtpSink(security="tls", certificate=(str(files[0]), str(files[1])))
    outcome = deliver(smtp(sink, security="tls", ca_file=files[0]))
    sink.stop()
    assert (outcome.kind, outcome.phase) == ("configuration", "tls")


def test_starttls_is_never_left_out_when_the_server_does_not_offer_it(smtp_sink: SmtpSink) -> None:
    outcome = deliver(smtp(smtp_sink, security="starttls", username=USERNAME))
    assert (outcome.kind, outcome.phase) == ("configuration", "tls")
    assert set(smtp_sink.commands) <= {"CONNECT", "EHLO"}


def test_a_missing_authority_file_is_a_mistake_in_the_configuration(smtp_sink: SmtpSink, tmp_path: Path) -> None:
    outcome = deliver(smtp(smtp_sink, security="tls", ca_file=tmp_path / "nothing.pem"))
    assert outcome.kind == "configuration"
    assert "nothing.pem" in outcome.text


# --- the check --------------------------------------------------------------------------------------------------------


def test_the_probe_signs_in_and_sends_nothing(guarded: SmtpSink) -> None:
    assert with_courier(smtp(guarded, username=USERNAME), lambda courier: courier.probe()) is None
    assert "MAIL" not in guarded.commands


def test_the_probe_says_what_is_wrong(guarded: SmtpSink) -> None:
    found = with_courier(smtp(guarded, username=USERNAME), lambda courier: courier.probe(), lambda: "wrong")
    assert found is not None
    assert (found.kind, found.phase) == ("configuration", "sign-in")
