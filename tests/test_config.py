"""The configuration: what it accepts, where it looks, and what it says about every mistake at once."""

from __future__ import annotations

import logging
import re
import stat
import sys
import tempfile
import tomllib
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin
from zoneinfo import available_timezones

import email_validator
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mailticket.config import passwords, read
from mailticket.config.lines import key_lines
from mailticket.config.read import find_file, read_settings
from mailticket.errors import ConfigurationError, WorldError
from mailticket.mail.addresses import is_bare_address
from mailticket.settings import (
    _PLAIN_ADDRESS,
    BrandSmtp,
    LettersText,
    Mailbox,
    Promise,
    Settings,
    Smtp,
    Window,
    ZoneName,
    stays_inside,
)
from mailticket.topics.exchange_letters import EXCHANGE_WORDING
from tests.servers.machine import until

BROKEN = sorted((Path(__file__).parent / "config").glob("*.toml"))
EXAMPLE = Path(__file__).parent.parent / "config" / "mailticket.toml"

SMALLEST = """
[support]
name = "Example Support"
address = "support@example.com"

[database]
url = "sqlite:///mailticket.db"

[[mailbox]]
name = "support"
host = "127.0.0.1"
port = 993
security = "tls"
username = "support@example.com"
password_file = "imap-password"
folder = "INBOX"

[smtp]
host = "127.0.0.1"
port = 465
security = "tls"
username = "support@example.com"
password_file = "smtp-password"
"""


@pytest.fixture
def smallest(tmp_path: Path) -> Path:
    file = tmp_path / "mailticket.toml"
    file.write_text(SMALLEST)
    return file


def problems_of(path: Path | None, environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(path, environ)
    return caught.value.problems


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_each_mistake_in_a_broken_configuration_is_named_and_nothing_else(file: Path) -> None:
    expected = re.findall(
        r"# says: (.*)",
        file.read_text(errors="replace").replace("(FILE,", f"({file},").replace("says: FILE,", f"says: {file},"),
    )
    found = problems_of(file, {})
    for sentence in expected:
        assert [p for p in found if sentence in p], f"{sentence!r} is not among\n" + "\n".join(found)
    assert len(found) == len(expected), "\n".join(found)


def test_no_message_contains_a_secret_or_any_wrong_value_of_a_secret_key() -> None:
    everything = "\n".join(p for file in BROKEN for p in problems_of(file, {}))
    assert "hunter2" not in everything
    assert "4711" not in everything


def test_tables_that_contradict_each_other_are_one_problem(smallest: Path) -> None:
    smallest.write_text(SMALLEST + '[alerts]\nto = ["support@example.com"]\n')
    (problem,) = problems_of(smallest, {})
    assert problem.startswith("[alerts] to names support@example.com, a support address")
    assert problem.endswith(f"({smallest}, line {smallest.read_text().count(chr(10))})")
    smallest.write_text(SMALLEST)
    (problem,) = problems_of(smallest, {"MAILTICKET_ALERTS__TO": '["support@example.com"]'})
    assert problem.endswith("; write a person's address (MAILTICKET_ALERTS__TO)")


def test_problems_come_in_the_order_of_the_lines() -> None:
    found = problems_of(Path(__file__).parent / "config" / "everything-at-once.toml", {})
    lines = [int(number) for p in found for number in re.findall(r"line (\d+)", p)]
    assert lines == sorted(lines)


def test_a_missing_file_says_what_to_type(tmp_path: Path) -> None:
    assert "mailticket init" in problems_of(tmp_path / "nothing.toml", {})[0]


def test_a_folder_in_place_of_the_file_is_a_message_and_no_traceback(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {}) == [f"{tmp_path}: cannot be read: Is a directory"]


@pytest.mark.parametrize("absurd", ["x = " + "[" * 20_000, "x = " + "9" * 5_000])
def test_absurd_values_are_a_message_and_no_traceback(tmp_path: Path, absurd: str) -> None:
    file = tmp_path / "mailticket.toml"
    file.write_text(absurd)
    assert "not TOML" in problems_of(file, {})[0]


LINES = [
    *EXAMPLE.read_text().splitlines(),
    *(line for file in BROKEN for line in file.read_text("latin-1").splitlines()),
]


@given(
    st.lists(st.one_of(st.sampled_from(LINES), st.sampled_from(LINES).map(lambda line: line.lstrip("#"))), max_size=40)
)
@budget(max_examples=300, deadline=None)
def test_any_mixture_of_lines_is_settings_or_a_list_of_problems(lines: list[str]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write("\n".join(lines))
        file.flush()
        try:
            read_settings(Path(file.name), {})
        except ConfigurationError as error:
            assert error.problems
            assert all(problem and "\n" not in problem for problem in error.problems)


# --- where it looks ---------------------------------------------------------------------------------------------------


def test_the_file_asked_for_goes_before_the_environment_and_that_before_the_current_folder(
    smallest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "other.toml"
    assert find_file(other, {"MAILTICKET_CONFIG": "third.toml"}) == other
    assert find_file(None, {"MAILTICKET_CONFIG": str(other)}) == other
    assert find_file(None, {}) == Path("mailticket.toml")


def test_without_any_file_it_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(read, "SYSTEM_FILE", tmp_path / "etc" / "mailticket.toml")
    assert "mailticket init" in problems_of(None, {})[0]
    assert "etc/mailticket.toml" in problems_of(None, {})[0]


def test_the_environment_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(read, "SYSTEM_FILE", tmp_path / "etc" / "mailticket.toml")
    settings = read_settings(
        None, {"MAILTICKET_SUPPORT__ADDRESS": "a@example.com", "MAILTICKET_SMTP__HOST": "localhost"}
    )
    assert settings.support.address == "a@example.com"
    assert settings.database.url == f"sqlite:///{tmp_path}/mailticket.db"
    (problem,) = problems_of(None, {"MAILTICKET_SMTP__HOST": "localhost"})
    assert problem == "[support] (environment): is missing; add [support]"


# --- what it makes of a sound file ------------------------------------------------------------------------------------


def test_the_smallest_configuration_works_and_its_paths_are_relative_to_the_file(smallest: Path) -> None:
    settings = read_settings(smallest, {})
    folder = smallest.parent
    assert settings.database.url == f"sqlite:///{folder}/mailticket.db"
    assert settings.mailbox[0].password_file == folder / "imap-password"
    assert settings.smtp.password_file == folder / "smtp-password"
    assert settings.mailbox[0].first_contact_hours == 72
    assert settings.acknowledge.enabled


def test_absolute_paths_and_other_databases_stay_as_they_are(smallest: Path) -> None:
    smallest.write_text(SMALLEST.replace("sqlite:///mailticket.db", "sqlite:////var/lib/x/tickets.db?timeout=5"))
    assert read_settings(smallest, {}).database.url == "sqlite:////var/lib/x/tickets.db?timeout=5"
    smallest.write_text(SMALLEST.replace("sqlite:///mailticket.db", "postgresql://ann@db/tickets"))
    assert read_settings(smallest, {}).database.url == "postgresql://ann@db/tickets"


def test_every_path_of_every_section_is_resolved(smallest: Path) -> None:
    smallest.write_text(
        SMALLEST.replace('prefix = "MT"', "").replace(
            'name = "Example Support"', 'name = "Example Support"\nkey_file = "key"'
        )
        + '\n[templates]\nfolder = "letters"\n[articles]\nfolder = "/srv/articles"\n'
    )
    settings = read_settings(smallest, {})
    assert settings.support.key_file == smallest.parent / "key"
    assert settings.templates.folder == smallest.parent / "letters"
    assert settings.articles.folder == Path("/srv/articles")


def test_a_token_command_of_the_same_folder_is_found(smallest: Path) -> None:
    smallest.write_text(
        SMALLEST.replace('password_file = "smtp-password"', 'oauth2_token_command = ["./token", "--quiet"]')
    )
    assert read_settings(smallest, {}).smtp.oauth2_token_command == (str(smallest.parent / "token"), "--quiet")


def test_the_default_database_of_the_system_wide_file_lies_where_the_daemon_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "etc" / "mailticket.toml"
    system.parent.mkdir()
    system.write_text('[support]\naddress = "a@example.com"\n[smtp]\nhost = "localhost"\n')
    monkeypatch.setattr(read, "SYSTEM_FILE", system)
    assert read_settings(system, {}).database.url == "sqlite:////var/lib/mailticket/mailticket.db"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(smallest: Path) -> None:
    smallest.write_bytes(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())
    assert read_settings(smallest, {}).support.name == "Example Support"


INSIDE = "firma.local x.lan y.internal a.test localhost b.localhost c.invalid d.onion e.home.arpa f.example mailhost"


@pytest.mark.parametrize("domain", INSIDE.split())
def test_an_address_of_an_intranet_is_an_address_in_every_key(smallest: Path, domain: str) -> None:
    smallest.write_text(
        SMALLEST.replace("support@example.com", f"support@{domain}", 1)
        .replace('prefix = "MT"', "")
        .replace('name = "support"', f'name = "support"\naddress = "box@{domain}"')
        .replace("[smtp]", f'[smtp]\nenvelope_from = "bounce@{domain}"')
        .replace("[database]", f'former_addresses = ["former@{domain}"]\n[database]')
        + f'\n[alerts]\nto = ["ops@{domain}"]\n'
    )
    settings = read_settings(smallest, {})
    assert settings.own_addresses == {f"{name}@{domain}" for name in ("support", "box", "bounce", "former")}
    assert all(stays_inside(address) for address in (*settings.own_addresses, *settings.alerts.to))
    assert is_bare_address(settings.support.address)


def test_an_address_that_no_mail_server_takes_is_still_refused_and_each_of_a_list_is_named(smallest: Path) -> None:
    smallest.write_text(SMALLEST + '\n[alerts]\nto = ["ops", "a b@firma.local", "good@firma.local", "x@-y-"]\n')
    problems = problems_of(smallest, {})
    assert [p.split(" (")[0] for p in problems] == ["alerts.to[1]", "alerts.to[2]", "alerts.to[4]"]
    assert not stays_inside("support@example.com")


def test_every_bad_span_weekday_and_priority_of_a_table_is_named(smallest: Path) -> None:
    smallest.write_text(
        SMALLEST
        + "[promise.windows.odd]\nfrom_hours = 1\nby_hours = 2\n[promise.windows.even]\nfrom_hours = 1\nby_hours = 2\n"
        + '[promise.hours]\nmonday = ["9-17", "17:00-09:00"]\nmunday = ["09:00-17:00"]\n'
    )
    everything = "\n".join(problems_of(smallest, {}))
    for word in (
        "'odd', 'even' are no priorities",
        "'munday' is no weekday",
        "'9-17' is no span",
        "'17:00-09:00' ends",
    ):
        assert word in everything


# --- the environment --------------------------------------------------------------------------------------------------


def test_the_environment_wins_over_the_file(smallest: Path) -> None:
    environ = {
        "MAILTICKET_SMTP__HOST": "smtp.example.org",
        "MAILTICKET_MAILBOX__1__PORT": "143",
        "MAILTICKET_ALERTS__TO": '["ops@example.org"]',
        "MAILTICKET_PROMISE__WINDOWS": '{"low": {"from_hours": 1, "by_hours": 9}}',
        "MAILTICKET_CONFIG": "not-a-key",
        "PATH": "/bin",
    }
    settings = read_settings(smallest, environ)
    assert settings.smtp.host == "smtp.example.org"
    assert settings.smtp.username == "support@example.com"
    assert (settings.mailbox[0].port, settings.mailbox[0].host) == (143, "127.0.0.1")
    assert settings.alerts.to == ("ops@example.org",)
    assert settings.promise.windows["low"].by_hours == 9


def test_the_environment_can_add_a_mailbox_after_those_of_the_file(smallest: Path) -> None:
    environ = {"MAILTICKET_MAILBOX__2__NAME": "billing", "MAILTICKET_MAILBOX__2__HOST": "imap.example.org"}
    assert [m.name for m in read_settings(smallest, environ).mailbox] == ["support", "billing"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MAILTICKET_SMTP__PORT", "many", "MAILTICKET_SMTP__PORT: must be a valid integer"),
        ("MAILTICKET_SMTP__HSOT", "x", "MAILTICKET_SMTP__HSOT: there is no such key; did you mean 'host'?"),
        ("MAILTICKET_MAILBOX__1__PROT", "1", "MAILTICKET_MAILBOX__1__PROT: there is no such key; did you mean 'port'?"),
        ("MAILTICKET_MAILBOX__7__PORT", "1", "MAILTICKET_MAILBOX__7__PORT: entries of an array are counted from 1"),
        ("MAILTICKET_SMPT__HOST", "x", "MAILTICKET_SMPT__HOST: there is no section [smpt]; did you mean 'smtp'?"),
        ("MAILTICKET_ALERTS__TO", "ops@example.org", "MAILTICKET_ALERTS__TO: not understood; lists and tables"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(smallest: Path, name: str, value: str, sentence: str) -> None:
    (problem,) = problems_of(smallest, {name: value})
    assert problem.startswith(sentence)


# --- secrets ----------------------------------------------------------------------------------------------------------


def smtp(**keys: Any) -> Smtp:
    return Smtp(host="smtp.example.com", username="ann", **keys)


def test_loading_reads_no_password_file(smallest: Path) -> None:
    assert not (smallest.parent / "imap-password").exists()
    read_settings(smallest, {})


def test_a_password_comes_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" pass word \n")
    file.chmod(0o600)
    assert passwords.secret(smtp(password_file=file), {}) == " pass word "


def test_a_password_file_that_everybody_can_read_is_used_and_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "password"
    file.write_text("xyzzy")
    file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert passwords.secret(smtp(password_file=file), {}) == "xyzzy"
    assert f"chmod o= {file}" in caplog.text
    assert "xyzzy" not in caplog.text


@pytest.mark.parametrize("content", ["", "\n", "two\nlines\n", "nul\x00"])
def test_a_password_file_that_holds_no_password_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "password"
    file.write_text(content)
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    with pytest.raises(ConfigurationError, match="the password alone, on one line"):
        passwords.secret(smtp(password_file=file), {})


def test_a_missing_password_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing-here: the password cannot be read: No such file"):
        passwords.secret(smtp(password_file=tmp_path / "nothing-here"), {})


def test_systemd_credentials_have_usual_names_and_the_mailbox_its_own(tmp_path: Path) -> None:
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    for name in ("imap-password", "imap-password-billing", "smtp-password", "special"):
        (tmp_path / name).write_text(f"the {name}\n")
    support = Mailbox(name="support", host="localhost", username="ann")
    billing = Mailbox(name="billing", host="localhost", username="ann", folder="Billing")
    assert passwords.secret(support, environ) == "the imap-password"
    assert passwords.secret(billing, environ) == "the imap-password-billing"
    assert passwords.secret(smtp(), environ) == "the smtp-password"
    assert passwords.secret(smtp(password_credential="special"), environ) == "the special"


@pytest.mark.parametrize("keys", [{}, {"password_credential": "special"}])
def test_without_any_password_the_message_says_what_to_set(tmp_path: Path, keys: dict[str, str]) -> None:
    (tmp_path / "smtp-password").write_text("\n")  # what the unit puts in place of a missing file
    with pytest.raises(ConfigurationError, match=r"no password for ann at smtp\.example\.com: .*LoadCredential="):
        passwords.secret(smtp(**keys), {"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_credentials_beside_the_configuration_serve_where_systemd_hands_none_over(smallest: Path) -> None:
    smallest.write_text(SMALLEST.replace('password_file = "imap-password"', "").replace("password_file", "#"))
    settings = read_settings(smallest, {})
    folder = smallest.parent / "credentials"
    with pytest.raises(ConfigurationError, match=f"write it into {folder}/imap-password, or set password_file"):
        passwords.secret(settings.mailbox[0], {})
    folder.mkdir()
    (folder / "imap-password").write_text("for all\n")
    (folder / "smtp-password").write_text("out\n")
    assert passwords.secret(settings.mailbox[0], {}) == "for all"
    assert passwords.secret(settings.smtp, {}) == "out"
    (folder / "imap-password-support").write_text("its own\n")
    assert passwords.secret(settings.mailbox[0], {}) == "its own"


def test_a_credential_that_was_changed_since_the_unit_started_goes_before_systemd_s_copy(
    smallest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smallest.write_text(SMALLEST.replace('password_file = "imap-password"', "").replace("password_file", "#"))
    settings = read_settings(smallest, {})
    source, copies = smallest.parent / "credentials", smallest.parent / "run"
    source.mkdir()
    copies.mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(copies)}
    (source / "smtp-password").write_text("old\n")
    prepared = source / "tomorrow's"
    prepared.write_text("new\n")
    (copies / "smtp-password").write_text("old, as handed over\n")
    assert passwords.secret(settings.smtp, environ) == "old, as handed over"
    until(lambda: _newer_than(copies / "smtp-password", tmp_path / "tick"), "the clock of the file system")
    prepared.rename(source / "smtp-password")  # its time of writing is older than the copy
    assert passwords.secret(settings.smtp, environ) == "new"
    with monkeypatch.context() as closed:
        closed.setattr(passwords.os, "access", lambda path, rights: source not in Path(path).parents)
        assert passwords.secret(settings.smtp, environ) == "old, as handed over"
        assert passwords.secret_file(settings.smtp, {}) == source / "smtp-password"
    (source / "smtp-password").unlink()
    assert passwords.secret(settings.smtp, environ) == "old, as handed over"


def _newer_than(file: Path, fresh: Path) -> bool:
    fresh.write_text("")
    return fresh.stat().st_ctime_ns > file.stat().st_ctime_ns


def test_a_token_command_gives_the_first_line_it_prints() -> None:
    command = (sys.executable, "-c", "print('ya29.token'); print('expires later')")
    assert passwords.secret(smtp(oauth2_token_command=command), {}) == "ya29.token"


def test_a_token_command_that_fails_may_work_later_and_its_output_is_not_repeated() -> None:
    command = (sys.executable, "-c", "import sys; print('s3cret'); print('s3cret', file=sys.stderr); sys.exit(3)")
    with pytest.raises(WorldError, match="ended with status 3") as caught:
        passwords.secret(smtp(oauth2_token_command=command), {})
    assert "s3cret" not in str(caught.value)


def test_a_token_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "TOKEN_COMMAND_SECONDS", 0.2)
    with pytest.raises(WorldError, match="TimeoutExpired"):
        passwords.secret(smtp(oauth2_token_command=(sys.executable, "-c", "import time; time.sleep(60)")), {})


def test_a_token_command_that_does_not_exist_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ConfigurationError, match="there is no program /nonexistent/token"):
        passwords.secret(smtp(oauth2_token_command=("/nonexistent/token",)), {})


# --- the shipped example ----------------------------------------------------------------------------------------------


def uncommented(text: str) -> dict[str, Any]:
    """The example with every commented key and table switched on."""
    return tomllib.loads(re.sub(r"(?m)^#(?=\[\[|[a-z0-9_]+ = )", "", text))


def model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, Union, types.UnionType):
        return next((model for part in get_args(annotation) if (model := model_of(part))), None)
    return None


def keys(model: type[BaseModel], shown: dict[str, Any], at: str = "") -> list[tuple[str, FieldInfo, Any]]:
    """Every key of the models with what the example shows for it; a key that it does not show is an error."""
    found = []
    for name, field in model.model_fields.items():
        assert name in shown, f"the example does not name {at}{name}"
        value = shown[name]
        nested = model_of(field.annotation)
        # A brand's server has the keys of [smtp], which the example names there.
        if nested and nested is not BrandSmtp and isinstance(value, dict | list):
            table = value[0] if isinstance(value, list) else value
            found += keys(nested, table, f"{at}{name}.")
        else:
            found.append((f"{at}{name}", field, value))
    assert not shown.keys() - model.model_fields.keys(), f"the example has keys of its own in {at}"
    return found


def test_the_example_is_sound_and_means_the_defaults() -> None:
    example = read_settings(EXAMPLE, {})
    plain = Settings.model_validate(
        {
            "support": {"address": "support@example.com"},
            "database": {"url": example.database.url},
            "mailbox": [{"name": "support", "host": "imap.example.com", "username": "support@example.com"}],
            "smtp": {"host": "smtp.example.com", "username": "support@example.com"},
        },
        context={"base": EXAMPLE.parent},
    )
    assert example == plain


def test_the_example_names_every_key_with_its_default() -> None:
    for name, field, value in keys(Settings, uncommented(EXAMPLE.read_text())):
        default = field.get_default(call_default_factory=True)
        only_an_example = default in (PydanticUndefined, None) or name.startswith("category.")
        if only_an_example or name.endswith(".username"):
            continue
        meant = TypeAdapter(field.annotation).validate_python(value)
        assert meant == default, f"the example says {name} = {value!r}, the default is {default!r}"


def test_tables_that_are_left_out_are_what_checking_them_gives() -> None:
    defaults = [field.default for field in Settings.model_fields.values() if isinstance(field.default, BaseModel)]
    assert len(defaults) == 15
    for default in defaults:
        assert repr(type(default).model_validate({})) == repr(default)
        windows = default.windows.values() if isinstance(default, Promise) else ()
        for window in windows:
            assert repr(Window.model_validate(window.model_dump())) == repr(window)


def test_the_texts_of_the_built_in_letters_are_sound() -> None:
    assert repr(LettersText.model_validate(EXCHANGE_WORDING.model_dump())) == repr(EXCHANGE_WORDING)


def test_the_example_says_where_there_is_no_default() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for name, field, _ in keys(Settings, uncommented(EXAMPLE.read_text())):
        if field.default is None and not name.endswith(("password", "password_file", "ca_file")):
            key = name.rsplit(".", 1)[1]
            at = [n for n, line in enumerate(lines) if line.startswith(f"#{key} = ")]
            assert any("none by default" in " ".join(lines[max(0, n - 3) : n]).lower() for n in at), name


def test_the_examples_of_a_category_are_sound_when_switched_on(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    start = text.index("#[[category]]")
    file = tmp_path / "mailticket.toml"
    file.write_text(text[:start] + re.sub(r"(?m)^#(?=\[\[|[a-z0-9_]+ = )", "", text[start:]))
    (category,) = read_settings(file, {}).category
    assert category.fields[0].name == "order_number"


# --- the line finder --------------------------------------------------------------------------------------------------


def test_lines_are_found_past_texts_arrays_and_comments_that_look_like_keys() -> None:
    text = "\n".join(
        [
            "a = 1  # b = 2",  # 1
            '"quoted key" = "]["',  # 2
            "[table.inner]",  # 3
            "list = [",  # 4
            '  "x]", # [[not]]',  # 5
            "  [1, 2],",  # 6
            "]",  # 7
            'text = """',  # 8
            "key = 1",  # 9
            '\\""" still inside',  # 10
            '"""',  # 11
            "after.dotted = { in = 1 }",  # 12
            "literal = '''[\\'''",  # 13
            "[[many]]",  # 14
            "x = 1",  # 15
            "[[many]]",  # 16
            "[many.sub]",  # 17
            "y = \"a\" # ''' no text begins here",  # 18
            "z = 1",  # 19
        ]
    )
    tomllib.loads(text)
    assert key_lines(text) == {
        ("a",): 1,
        ("quoted key",): 2,
        ("table", "inner"): 3,
        ("table", "inner", "list"): 4,
        ("table", "inner", "text"): 8,
        ("table", "inner", "after"): 12,
        ("table", "inner", "after", "dotted"): 12,
        ("table", "inner", "literal"): 13,
        ("many", 0): 14,
        ("many", 0, "x"): 15,
        ("many", 1): 16,
        ("many", 1, "sub"): 17,
        ("many", 1, "sub", "y"): 18,
        ("many", 1, "sub", "z"): 19,
    }


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("", "exactly one of address, domain and header"),
        ('domain = "a.example"\naddress = "b@c.example"', "exactly one of address, domain and header"),
        ('header = ["X-Campaign"]', "the header's name and its value"),
        ('header = ["", "x"]', "the header's name and its value"),
        ('address = "nobody"', "is not an e-mail address"),
        ('domain = "@a.example"', "domain"),
        ('domain = "Example.COM"', "would block support@example.com"),
        ('address = "support@example.com"', "would block support@example.com"),
    ],
)
def test_a_block_names_one_thing_and_never_ourselves(smallest: Path, table: str, complaint: str) -> None:
    smallest.write_text(SMALLEST + f"[[block]]\n{table}\n")
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(smallest, {})
    assert any(complaint in problem for problem in refusal.value.problems)


def test_blocks_come_from_the_environment_too(smallest: Path) -> None:
    environ = {"MAILTICKET_BLOCK__1__DOMAIN": "spam.example", "MAILTICKET_BLOCK__2__HEADER": '["X-Campaign", "x"]'}
    [domain, header] = read_settings(smallest, environ).block
    assert (domain.domain, header.header) == ("spam.example", ("X-Campaign", "x"))


@given(st.from_regex(_PLAIN_ADDRESS, fullmatch=True))
def test_an_address_that_is_taken_as_it_is_would_pass_the_library(address: str) -> None:
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    assert email_validator.validate_email(address, check_deliverability=False, globally_deliverable=False)


def test_the_zones_are_those_of_the_system() -> None:
    zones, zone_name = available_timezones(), TypeAdapter(ZoneName)
    for zone in zones:
        assert zone_name.validate_python(zone) == zone
    for name in ("right/UTC", "posix/UTC", "posixrules", "Europe", "zone.tab", "", "../UTC", "/etc/localtime", "\0"):
        assert name not in zones
        with pytest.raises(ValidationError, match="no time zone"):
            zone_name.validate_python(name)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('[[staff]]\nname = "Mia"\naddresses = ["mia@example.com"]\n', "must be up to 30 lower-case letters"),
        ('[[staff]]\nname = "none"\naddresses = ["mia@example.com"]\n', "give another name"),
        (
            '[[staff]]\nname = "mia"\nsigns = "Mia, mia@example.com"\naddresses = ["mia@example.com"]\n',
            "would show requesters an address; write a name",
        ),
        ('[[team]]\nname = "money"\nmembers = []\n', "must not be empty"),
        ('[[team]]\nname = "money"\nmembers = ["mia"]\nlead = "Mia"\n', "must be the name of a [[staff]] table"),
        ('[desk]\ndigests = ["25:00"]\n', 'must be times such as "08:30"'),
        ('[[block]]\ndomain = "*.spam.example"\n', "stands for those below it too"),
        ('[[block]]\ndomain = "@spam.example"\n', "must be a domain such as"),
    ],
)
def test_a_mistake_in_a_table_of_the_desk_is_told_with_what_to_write(smallest: Path, table: str, words: str) -> None:
    with smallest.open("a") as file:
        file.write(f"\n{table}")
    with pytest.raises(ConfigurationError) as caught:
        read_settings(smallest, {})
    assert words in str(caught.value)
